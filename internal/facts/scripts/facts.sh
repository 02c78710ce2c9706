# patchtide:facts
# shellcheck shell=sh
# Prints one line of JSON: what this machine is and which packages it holds. It changes nothing and writes no file, so
# that a full disk cannot shorten what it tells. What it cannot read whole it does not tell, and says why.
LC_ALL=C; export LC_ALL; PATH="/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}"; export PATH
fail() { echo "patchtide: $*" >&2; exit 1; }
for tool in awk base64 cut grep gzip head sed sha256sum sort timeout tr uname; do command -v "$tool" >/dev/null || fail "this machine has no $tool, and its facts are read with it: install it"; done
plain() { tr -d '"\047\\\000-\037' | cut -c1-120; }; from() { [ -r "$1" ] && sed -n "s/^$2=//p" "$1" | head -n 1 | plain; }
boot=$(plain 2>/dev/null </proc/sys/kernel/random/boot_id); [ -n "$boot" ] || fail "/proc/sys/kernel/random/boot_id tells no boot id"
# The mark comes last, and only when everything before it ended well.
packages() {
  if command -v dpkg-query >/dev/null && [ -s "${DPKG_ADMINDIR:-/var/lib/dpkg}/status" ]; then dpkg-query -W -f '${db:Status-Abbrev}|${Package}.${Architecture} ${Version}\n'
  elif command -v rpm >/dev/null; then timeout -s KILL 120 rpm -qa --qf ' i |%{NAME}.%{ARCH} %|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}\n'
  else echo "error: neither dpkg nor rpm is here" >&2; false; fi
  case $? in 0) echo '~whole' ;; 124 | 137) echo "error: it was ended after two minutes: is the database locked?" >&2 ;; esac
}
# Imported keys are listed among packages but are none. What is installed by half has files on the disk all the same:
# its state stands behind its version.
listed() {
  sed -e '/|gpg-pubkey\./d' -e 's/^.[iWt][^|]*|//' -e 's/^.U[^|]*|\(.*\)/\1 unpacked/' -e 's/^.F[^|]*|\(.*\)/\1 half-configured/' \
    -e 's/^.H[^|]*|\(.*\)/\1 half-installed/' -e '/|/d' -e 's/^\([^ ]*\) \([^:]*\)$/\1 0:\2/' | sort
}
told=$({ packages 2>&3 | listed; } 3>&1); list=$(printf '%s\n' "$told" | grep '^[^ ]* [0-9][0-9]*:')
why=$(printf '%s\n' "$told" | grep -v -e '^[^ ]* [0-9][0-9]*:' -e '^~whole$' -e 'warning:' | tr '\n' ' ' | cut -c1-300)
case "$told" in *error:*) whole= ;; *'~whole') whole=yes ;; *) whole= ;; esac
[ -n "$whole" ] || fail "the list of packages could not be read whole: ${why:-the tools that read it failed}"
[ -n "$list" ] || fail "the package database lists no package"
os=$(from /etc/os-release ID); release=$(from /etc/os-release VERSION_ID)
# Amazon Linux locks its repositories to this version, which os-release does not tell, unless a file names another.
locked=$(timeout -s KILL 60 rpm -q --qf '%{VERSION}\n' system-release 2>/dev/null) && release=$(printf '%s\n' "$locked" | head -n 1 | plain); releasever=$(plain 2>/dev/null </etc/dnf/vars/releasever)
# What deployments leave: files outside packages. What an application writes while it runs is left out.
application() {
  set --; for place in /opt /srv /usr/local /var/www; do [ -d "$place" ] && set -- "$@" "$place"; done
  [ $# -eq 0 ] || timeout 20 find "$@" -xdev -type d \( -name log -o -name logs -o -name tmp -o -name cache -o -name .cache -o -name var \) -prune -o -type f ! -name '*.log*' ! -name '*.pid' -printf '%p %s %T@\n' 2>/dev/null
}
app=$({ { application; echo $? >&3; } | { sort; echo $? >&3; } | sha256sum | cut -d ' ' -f 1; } 3>&1 | tr '\n' ' ')
case "$app" in '0 0 '*' ') app=${app#0 0 }; app=${app% } ;; *) app= ;; esac
# What the machine waits for a reboot for, and what tells so: where nothing can, that is told, for silence is no answer.
pending=false; by=; whom=; says() { case "$2" in *[Rr]'eboot is required'*) pending=true ;; *'not '*necessary*) ;; *) return ;; esac; by=$1; whom=$(printf '%s\n' "$2" | sed -n -e 's/^ *\* *\([^ ]*\).*/\1/p' -e 's/^ *\([^ ]*\) -> .*/\1/p'); }
if [ -e /var/run/reboot-required ] || [ -e /run/reboot-required ]; then pending=true; by=reboot-required; whom=$(sort -u /run/reboot-required.pkgs 2>/dev/null)
elif command -v needs-restarting >/dev/null; then says needs-restarting "$(timeout 60 needs-restarting -r 2>/dev/null)"; elif command -v dnf >/dev/null; then says 'dnf needs-restarting' "$(timeout 60 dnf -C -q needs-restarting -r 2>/dev/null)"
elif command -v zypper >/dev/null; then timeout 60 zypper -n needs-rebooting >/dev/null 2>&1; case $? in 0) by=zypper ;; 102) by=zypper; pending=true ;; esac; elif [ -e /usr/share/update-notifier/notify-reboot-required ] || [ -e /etc/kernel/postinst.d/unattended-upgrades ]; then by=reboot-required; fi
quoted() { tr -d '"\047\134' | awk 'NF && n < 20 { printf "%s\"%s\"", n++ ? "," : "", substr($1, 1, 80) }'; }; live() { for at in /sys/kernel/livepatch/*; do on=; moves=; { read -r on <"$at/enabled"; read -r moves <"$at/transition"; } 2>/dev/null; [ "$on$moves" = 10 ] && echo "${at##*/}"; done; }
# A restore brings back what is on the disk of / and nothing else.
mounted() { findmnt -nvo SOURCE --target "$1" 2>/dev/null; }; disks() { lsblk -nso KNAME,TYPE "$1" 2>/dev/null | awk '$2 == "disk" && !seen[$1]++ { printf "%s%s", space, $1; space = " " }'; }; root=$(mounted /); disk=$(disks "$root")
# What dpkg has left installed by half; a few tell enough.
broken() { printf '%s\n' "$list" | awk '$NF ~ /^(unpacked|half-configured|half-installed)$/ && n < 20 { printf "%s\"%s %s\"", n++ ? "," : "", $1, $NF }'; }
elsewhere() {
  case "$disk" in '' | *' '*) printf '"/ on %s",' "$(echo "${disk:-unknown disks}" | plain)" ;; esac
  for at in /boot /etc /usr /usr/lib/sysimage/rpm /var /var/lib /var/lib/rpm /var/lib/dpkg /var/lib/dnf; do
    [ -e "$at" ] && of=$(mounted "$at") && [ "$of" != "$root" ] && on=$(disks "$of") && [ "$on" != "$disk" ] && printf '"%s on %s",' "$at" "$(echo "${on:-unknown disks}" | plain)"
  done
}
enabled() { systemctl is-enabled --quiet "$1" 2>/dev/null; }
patchers() {
  if enabled apt-daily-upgrade.timer && apt-config dump 2>/dev/null | grep -q '^APT::Periodic::Unattended-Upgrade "[^0]"'; then printf '"unattended-upgrades",'; fi
  for unit in dnf-automatic.timer dnf-automatic-install.timer dnf5-automatic.timer yum-cron.service; do enabled "$unit" && printf '"%s",' "$unit"; done
}
printf '{"boot_id":"%s","os":"%s","release":"%s","releasever":"%s","kernel":"%s","pending_reboot":%s,"reboot_by":"%s","reboot_for":[%s],"live_patches":[%s],"elsewhere":[%s],"patchers":[%s],"broken":[%s],"application_sha256":"%s","packages_sha256":"%s","packages_gz":"%s"}\n' \
  "$boot" "$os" "$release" "$releasever" "$(uname -r | plain)" "$pending" "$by" "$(printf '%s\n' "$whom" | quoted)" "$(live | quoted)" "$(elsewhere | sed 's/,$//')" "$(patchers | sed 's/,$//')" "$(broken)" "$app" \
  "$(printf '%s\n' "$list" | sha256sum | cut -d ' ' -f 1)" "$(printf '%s\n' "$list" | gzip -9nc | base64 | tr -d '\n')"
