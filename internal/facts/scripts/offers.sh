# patchtide:offers
# shellcheck shell=sh
# Prints one line of JSON: what this machine's own package manager says of packages in exact versions, by a dry install.
# It installs nothing and locks nothing. Beside what the package manager itself keeps of its repositories' lists it
# writes only into a folder of its own, which it removes; where apt's lists have to be read anew, the machine's own hooks
# of `apt-get update` run as they do at any other.
LC_ALL=C; export LC_ALL; PATH="/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}"; export PATH
fail() { echo "patchtide: $*" >&2; exit 1; }
for tool in awk cut grep head sed sort tail timeout tr; do
  command -v "$tool" >/dev/null || fail "this machine has no $tool, and a dry install is read with it: install it"
done
# What is asked for, a line "name.arch epoch:version" each.
# begin
wanted() { :; }
# end
# Lists below are lines like those: what no repository serves, what is held, and by what, what the dry install would
# bring, and take away.
asked=$(wanted); absent=; held=; come=; gone=; unresolved=
plain() { tr -d '"\047\134\000-\011\013-\037' | tr '\n' ' ' | tr -s ' ' | cut -c1-300; }
names() { printf '%s\n' "$1" | sed -n 's/\.[^. ]* .*//p' | sort -u; }
join() { case "$1$2" in "$1" | "$2") printf '%s' "$1$2" ;; *) printf '%s\n%s' "$1" "$2" ;; esac; }
# without LIST ALL: the lines of ALL that are not in LIST, whose lines may say more behind them.
without() {
  printf '%s\n' "$2" | NOT="$1" awk '
    BEGIN {
      for (n = split(ENVIRON["NOT"], l, "\n"); n; n--) { split(l[n], f, " "); sub(/:$/, "", f[2]); no[f[1] " " f[2]] }
    }
    NF && !($0 in no)'
}
rest() { without "$(join "$absent" "$held")" "$asked"; }
run() {
  said=$(timeout -s KILL 240 "$@" 2>&1 </dev/null); code=$?
  [ "$code" != 137 ] || fail "$1 was ended after four minutes: does another process hold its lock? It said:" \
    "$(printf '%s\n' "$said" | tail -n 1 | plain)"
}
has() { printf '%s\n' "$said" | grep -q -e "$1"; }
# What was said is no answer: it neither says that a package is there nor that it is not.
no_answer() {
  why=$(printf '%s\n' "$said" | grep -i -e error -e failed -e locked -e '^E:' -e problem | head -n 1 | plain)
  fail "the dry install by $1 came to no end (exit code $code): ${why:-$(printf '%s\n' "$said" | tail -n 1 | plain)}"
}
first_lines() { unresolved=$(printf '%s\n' "$said" | sed -n "$1" | head -n 4 | sed 's/<[^>]*>//g' | plain); }

# dnf and yum. A list of the repositories regards no version lock, and an install does: what holds a package is told by
# the install that is not done. There a package is "name-epoch:version-release.arch".
spec() { sed 's/^\(.*\)\.\([^. ]*\) \(.*\)$/\1-\3.\2/'; }
asked_as() {
  printf '%s\n' "$asked" | AS="$1" awk '
    { n = a = $1; sub(/\.[^.]*$/, "", n); sub(/.*\./, "", a) } n "-" $2 "." a == ENVIRON["AS"]'
}
lock_of() {
  printf '%s\n' "$locks" | NAME="$1" awk '
    { at = $0; sub(/^!/, "", at); sub(/^[0-9]+:/, "", at) }
    at == ENVIRON["NAME"] || index(at, ENVIRON["NAME"] "-") == 1 { print "a version lock (" $0 ")"; exit }'
}
dry_rpm() {
  by=$1; shift; said='Nothing to do'
  [ $# -eq 0 ] || run "$by" --assumeno "$options" $fresh install "$@"
  for trouble in 'Failed to download' 'Failed to synchronize' 'Ignoring repositories' 'Cannot find a valid' \
    'Cannot retrieve' 'failure: repodata'; do
    if has "$trouble" && ! all_there; then no_answer "$by"; fi
  done
}
# A repository that may be away, and is, keeps nobody from what the others serve.
all_there() {
  has '^Dependencies [Rr]esolved' && ! has '^Nothing to do\|^No match for\|^No package \|^All matches were\|only excluded'
}
# yum says of what is excluded that it is not there.
listed() {
  timeout -s KILL 240 yum -q list available --showduplicates --disableexcludes=all --disableplugin=versionlock "$1" \
    2>/dev/null </dev/null | awk '!/^Available/ { for (i = 1; i <= NF; i++) print $i }' |
    grep -q -x -F -e "$2" -e "${2#0:}"
}
ask_rpm() {
  tool=$1 fresh='' options=--setopt=exit_on_lock=1
  locks=$(timeout -s KILL 60 "$tool" -q versionlock list 2>/dev/null </dev/null |
    grep -v -i -e '^loaded' -e '^versionlock')
  # With yum Systems Manager puts what its baseline rejects in place of the machine's own excludes.
  [ "$tool" = dnf ] || options=--disableexcludes=main
  while :; do
    # shellcheck disable=SC2046
    dry_rpm "$tool" $(rest | spec)
    refused=$(printf '%s\n' "$said" | sed -n \
      -e 's/^All matches were filtered out by \(.*\) filtering for argument: \(.*\)/\1 \2/p' \
      -e "s/^Argument '\(.*\)' matches only excluded packages.*/exclude \1/p" \
      -e 's/^No match for argument: \(.*\)/absent \1/p' -e 's/^No package \(.*\) available\.*$/absent \1/p')
    [ -n "$refused" ] || break
    if [ -z "$fresh" ]; then # its lists may be old
      if [ "$tool" = dnf ]; then fresh=--refresh; else fresh=--setopt=metadata_expire=1; fi
      continue
    fi
    before=$absent$held
    while read -r how which; do
      line=$(asked_as "$which"); [ -n "$line" ] || continue
      by=$(lock_of "$(names "$line")"); : "${by:=an exclude}"
      if [ "$how" = modular ]; then by='the module streams that are enabled'; fi
      if [ "$how" = absent ] && ! { [ "$tool" = yum ] && listed "$(names "$line")" "${line#* }"; }
      then absent=$(join "$absent" "$line"); else held=$(join "$held" "$line: $by"); fi
    done <<REFUSED
$refused
REFUSED
    [ "$before" != "$absent$held" ] || no_answer "$tool"
  done
  if has 'Nothing to do'; then return; fi
  if has '^ *Problem\|Error: Package: '; then first_lines '/^ *Problem/,/none/p;/Error: Package: /,/none/p'; return; fi
  has '^Dependencies [Rr]esolved' || no_answer "$tool"
  # A row begins behind one space; one that is too long goes on below, behind more.
  rows=$(printf '%s\n' "$said" | awk '
    function told() { if (how && n > 2) print how, f[1] "." f[2], (f[3] ~ /:/ ? "" : "0:") f[3]; n = 0 }
    /^Dependencies [Rr]esolved/ { on = 1 } /^Transaction Summary/ { told(); exit } !on { next }
    /^[A-Z].*:$/ { told(); how = ""; if (/^(Inst|Upg|Upd|Rein|Down)/) how = "come"; if (/^(Rem|Era)/) how = "gone" }
    /^ +replacing / { print "gone", $2, ($3 ~ /:/ ? "" : "0:") $3; next } /^ [^ ]/ { told() } /^ / { for (i = 1; i <= NF; i++) f[++n] = $i }')
}

# zypper: a package is "name.arch=epoch:version-release". Its repositories are all alike: one that is away keeps nobody
# from what the others serve either.
all_found() { has '<install-summary' && ! has 'No provider of\|Problem: '; }
ask_zypper() {
  tool=zypper; run zypper -n --xmlout locks; [ "$code" = 0 ] || no_answer zypper
  locks=$(printf '%s\n' "$said" | sed -n 's/.*<name>\(.*\)<\/name>.*/\1/p')
  while read -r package version; do
    while read -r lock; do
      # shellcheck disable=SC2254
      case ${package%.*} in $lock) held=$(join "$held" "$package $version: a lock ($lock)"); break ;; esac
    done <<LOCKS
$locks
LOCKS
  done <<ASKED
$asked
ASKED
  while :; do
    # shellcheck disable=SC2046
    set -- $(rest | sed 's/ \(0:\)*/=/'); [ $# -gt 0 ] || return 0
    run zypper -n --xmlout install --dry-run "$@"
    if has 'Skipping repository\|have not been refreshed' && ! all_found; then no_answer zypper; fi
    unknown=$(printf '%s\n' "$said" | sed -n 's/.*No provider of &apos;\(.*\)&apos; found.*/\1/p')
    [ -n "$unknown" ] || break
    unknown=$(rest | NOT="$unknown" awk '
      BEGIN { for (n = split(ENVIRON["NOT"], l, "\n"); n; n--) no[l[n]] } { s = $0; sub(/ (0:)?/, "=", s) } s in no')
    [ -n "$unknown" ] || no_answer zypper
    absent=$(join "$absent" "$unknown")
  done
  if has 'Problem: '; then first_lines '/Problem: /,/<\/description>/p'; return; fi
  has '<install-summary\|Nothing to do' || no_answer zypper
  rows=$(printf '%s\n' "$said" | awk '
    function of(key) { s = $0; if (!sub(".* " key "=\"", "", s)) return ""; sub(/".*/, "", s); return s }
    /^<to-/ { how = /^<to-remove/ ? "gone" : "come" } /^<\/to-/ { how = "" }
    how && / type="package"/ { v = of("edition"); print how, of("name") "." of("arch"), (v ~ /:/ ? "" : "0:") v }')
}

# apt: a package is "name:arch=version". What apt knows of its repositories is as old as its last update, and may have
# been thrown away: where it does not know what is asked for, the lists are read anew, beside its own.
# shellcheck disable=SC2086
apt() {
  by=$1; shift; run "$by" -q -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Dir::Log::Planner= $lists "$@"
}
apt_absent() {
  # shellcheck disable=SC2046
  apt apt-cache madison $(names "$asked"); [ "$code" = 0 ] || no_answer apt-cache
  served=$(printf '%s\n' "$said" | awk -F '[ |]+' '!/Sources *$/ { print $2, ($3 ~ /:/ ? "" : "0:") $3 }')
  absent=$(printf '%s\n' "$asked" | IS="$served" awk '
    BEGIN { for (n = split(ENVIRON["IS"], l, "\n"); n; n--) is[l[n]] }
    { n = $1; sub(/\.[^.]*$/, "", n) } !(n " " $2 in is)')
}
ask_apt() {
  tool=apt lists=''; apt_absent
  if [ -n "$absent" ]; then
    folder=$(mktemp -d) || fail "no folder could be made for the lists of its repositories"
    trap 'rm -rf "$folder"' EXIT; mkdir "$folder/partial"; lists="-o Dir::State::lists=$folder"
    apt apt-get update
    if [ "$code" != 0 ] || has '^[EW]: .*\(Failed to fetch\|Some index files failed\)'; then no_answer apt-get; fi
    apt_absent
  fi
  apt apt-mark showhold; [ "$code" = 0 ] || no_answer apt-mark
  held=$(rest | IS="$said" awk '
    BEGIN { for (n = split(ENVIRON["IS"], l, "\n"); n; n--) is[l[n]] }
    { n = a = $1; sub(/\.[^.]*$/, "", n); sub(/.*\./, "", a) }
    (n in is) || (n ":" a in is) { print $0 ": a hold (apt-mark)" }')
  # shellcheck disable=SC2046
  set -- $(rest | sed -e 's/^\(.*\)\.all \(0:\)*/\1=/' -e 's/^\(.*\)\.\([^. ]*\) \(0:\)*/\1:\2=/')
  [ $# -gt 0 ] || return 0
  apt apt-get -s -o Debug::NoLocking=1 install "$@"
  if [ "$code" != 0 ]; then
    if has fix-broken || ! has 'unmet dependencies\|held broken packages\|Unable to correct problems'
    then no_answer apt-get; fi
    first_lines '/Depends: \|Conflicts: \|Breaks: \|^E: /p'; return
  fi
  rows=$(printf '%s\n' "$said" | awk '
    $1 == "Inst" {
      v = a = $0; sub(/^[^(]*\(/, "", v); sub(/ .*/, "", v); sub(/\]\).*/, "", a); sub(/.*\[/, "", a)
      n = $2; sub(/:.*/, "", n); print "come", n "." a, (v ~ /:/ ? "" : "0:") v
    }
    $1 == "Remv" { v = $3; gsub(/[][]/, "", v); print "gone", $2, (v ~ /:/ ? "" : "0:") v }' |
    while read -r how name v; do
      [ "$how" != gone ] || name=${name%%:*}.$(dpkg-query -W -f '${Architecture}\n' "$name" 2>/dev/null | head -n 1)
      echo "$how $name $v"
    done)
}

rows=
if command -v apt-get >/dev/null && [ -s "${DPKG_ADMINDIR:-/var/lib/dpkg}/status" ]; then ask_apt
elif command -v zypper >/dev/null; then ask_zypper
elif command -v dnf >/dev/null; then ask_rpm dnf
elif command -v yum >/dev/null; then ask_rpm yum
else fail "neither apt-get nor zypper, dnf or yum is here"; fi
come=$(printf '%s\n' "$rows" | sed -n 's/^come //p'); gone=$(printf '%s\n' "$rows" | sed -n 's/^gone //p')
left=; [ -n "$unresolved" ] || left=$(without "$come" "$(rest)")
# Systems Manager keeps 24,000 characters: the first of each list are enough.
json() {
  printf '%s\n' "$1" | tr -d '"\047\134' | awk 'NF && n < 50 { printf "%s\"%s\"", n++ ? "," : "", substr($0, 1, 200) }'
}
printf '{"by":"%s","asked":%s,"absent":[%s],"held":[%s],"left":[%s],"beside":[%s],"gone":[%s],"unresolved":"%s"}\n' \
  "$tool" "$(printf '%s\n' "$asked" | grep -c .)" "$(json "$absent")" "$(json "$held")" "$(json "$left")" \
  "$(json "$(without "$asked" "$come")")" "$(json "$gone")" "$unresolved"
