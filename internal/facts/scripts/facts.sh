# patchtide:facts
# Prints one line of JSON: what this machine is and which packages it holds. It changes nothing.
LC_ALL=C; export LC_ALL; PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin"; export PATH
plain() { tr -d '"\\\000-\037' | cut -c1-120; }
from() { [ -r "$1" ] && sed -n "s/^$2=//p" "$1" | head -n 1 | plain; }
boot=$(plain 2>/dev/null </proc/sys/kernel/random/boot_id)
os=$(from /etc/os-release ID); release=$(from /etc/os-release VERSION_ID)
if command -v rpm >/dev/null 2>&1 && rpm -q system-release >/dev/null 2>&1; then
  # Amazon Linux locks its repositories to this version, which os-release does not tell.
  release=$(rpm -q --qf '%{VERSION}\n' system-release | head -n 1 | plain)
fi
packages() {
  if command -v dpkg-query >/dev/null 2>&1 && [ -s /var/lib/dpkg/status ]; then
    dpkg-query -W -f '${db:Status-Abbrev}|${Package}.${Architecture} ${Version}\n' |
      sed -n 's/^.i.*|//p' | sed 's/^\([^ ]*\) \([^:]*\)$/\1 0:\2/'
  else
    # Imported keys are listed among packages but are none.
    rpm -qa --qf '%{NAME}.%{ARCH} %|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}\n' | grep -v '^gpg-pubkey\.'
  fi | sort
}
# What deployments leave: files outside packages. What an application writes while it runs is left out.
application() {
  set --; for place in /opt /srv /usr/local /var/www; do [ -d "$place" ] && set -- "$@" "$place"; done
  [ $# -eq 0 ] || timeout 20 find "$@" -xdev -type d \( -name log -o -name logs -o -name tmp -o -name cache -o -name .cache -o -name var \) -prune -o -type f ! -name '*.log*' ! -name '*.pid' -printf '%p %s %T@\n' 2>/dev/null
}
pending=false
if [ -e /var/run/reboot-required ] || [ -e /run/reboot-required ]; then
  pending=true
elif command -v needs-restarting >/dev/null 2>&1; then
  needs-restarting -r 2>/dev/null | grep -qi 'reboot is required' && pending=true
elif command -v dnf >/dev/null 2>&1; then
  dnf -C -q needs-restarting -r 2>/dev/null | grep -qi 'reboot is required' && pending=true
fi
disks() { lsblk -nso KNAME,TYPE "$(findmnt -nvo SOURCE --target "$1")" 2>/dev/null | awk '$2 == "disk" { print $1 }' | sort -u | tr '\n' ' ' | sed 's/ $//'; }
root=$(disks /) # a restore brings back what is on its disk and nothing else
elsewhere() {
  case "$root" in '' | *' '*) printf '"/ on %s",' "$(echo "${root:-unknown disks}" | plain)" ;; esac
  for at in /boot /etc /usr /usr/lib/sysimage/rpm /var /var/lib /var/lib/rpm /var/lib/dpkg /var/lib/dnf; do
    [ ! -e "$at" ] || [ "$(disks "$at")" = "$root" ] || printf '"%s on %s",' "$at" "$(disks "$at" | plain)"
  done
}
on() { systemctl is-enabled --quiet "$1" 2>/dev/null; }
patchers() {
  if on apt-daily-upgrade.timer && apt-config dump 2>/dev/null | grep -q '^APT::Periodic::Unattended-Upgrade "[^0"]'; then printf '"unattended-upgrades",'; fi
  for unit in dnf-automatic.timer dnf-automatic-install.timer dnf5-automatic.timer yum-cron.service; do on "$unit" && printf '"%s",' "$unit"; done
}
dir=$(mktemp -d) || exit 1; trap 'rm -rf "$dir"' EXIT
packages >"$dir/list"
app=; application >"$dir/app" && app=$(sort "$dir/app" | sha256sum | cut -d ' ' -f 1)
[ -n "$boot" ] && [ -s "$dir/list" ] || { echo "patchtide: no boot id or no packages could be read" >&2; exit 1; }
printf '{"boot_id":"%s","os":"%s","release":"%s","kernel":"%s","pending_reboot":%s,"elsewhere":[%s],"patchers":[%s],"application_sha256":"%s","packages_sha256":"%s","packages_gz":"%s"}\n' \
  "$boot" "$os" "$release" "$(uname -r | plain)" "$pending" "$(elsewhere | sed 's/,$//')" "$(patchers | sed 's/,$//')" "$app" \
  "$(sha256sum <"$dir/list" | cut -d ' ' -f 1)" "$(gzip -9nc "$dir/list" | base64 | tr -d '\n')"
