# patchtide:probe {"checks":[{"port":80,"path":"/healthz"}]}
# shellcheck shell=sh
# Asks the machine's health checks, once or for as long as a bake. Its first line tells readers of the command history,
# and the laboratory, what is asked; what is between "begin" and "end" is written anew for each probe. It prints a line
# for each check that does not pass (for one look, of every check): its number, the status or exit code, "-" where the
# body lacks what it must have, the time, and what was said. The last line counts the looks, those that were bad, and
# those that were bad in a row at the end. A bad look is followed by another; after two in a row it ends at once.
# begin
seconds=0 every=10
checks() {
  ca='' # of the check that follows: PEM in base64
  web 1 http 80 '/healthz' '[23]??' '' '' ''
  own 2 10 'ZXhpdCAw'
}
# end
PATH="/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}"; export PATH; LC_ALL=C; export LC_ALL
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY; no_proxy=localhost; export no_proxy
set -f
most=60 told=0 ill=0
has() { command -v "$1" >/dev/null; }
# tell NUMBER WELL STATUS BODY SAID: what is said is a line of 200 characters, and there are so many that AWS keeps them.
tell() {
  [ "$2" = yes ] || ill=1
  [ "$seconds" -eq 0 ] || [ "$2" = no ] || return 0
  told=$((told + 1)); [ "$told" -le "$most" ] || return 0
  printf '%s %s %s %s %s\n' "$1" "$3" "$4" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(printf %s "$5" | tr -c '[:print:]' ' ' | head -c 200)"
}
# web NUMBER SCHEME PORT PATH STATUSES BODY NAME HOW asks localhost by GET. It follows no redirect and asks no proxy.
web() {
  answer='' said='no answer' body=+ well=no cafile=''
  # Wget is given no time-out of its own: that of Debian's busybox ends in a segmentation fault.
  # shellcheck disable=SC2016 # bash is to expand it
  if has curl; then
    number=$1 url="$2://${7:-localhost}:$3$4" port=$3 wants=$5 lacks=$6 name=$7 how=$8
    set -- --silent --show-error --include --noproxy '*' --max-time 5
    [ -z "$name" ] || set -- "$@" --connect-to "$name:$port:localhost:$port"
    case $how in
    insecure) set -- "$@" --insecure ;;
    ca)
      cafile=$(mktemp) && printf %s "$ca" | base64 -d >"$cafile"
      set -- "$@" --cacert "$cafile"
      ;;
    esac
    answer=$(curl "$@" "$url" 2>&1 | head -c 65536 | tr -d '\r\000')
    [ -z "$cafile" ] || rm -f "$cafile"
    case $answer in *'curl: ('*) said=$(printf '%s\n' "$answer" | sed -n 's/.*curl: (/curl: (/p' | head -n 1) ;; esac
    set -- "$number" - "$port" - "$wants" "$lacks"
  elif [ "$2" = https ] || [ -n "$6" ]; then
    said='this machine has no curl to ask with: install it, or let the worker ask (from: worker)'
  elif has wget; then
    answer=$(timeout 5 wget -S -O /dev/null "http://localhost:$3$4" 2>&1 | sed -n 's,^ *\(HTTP/[0-9.]* [0-9]*\).*,\1,p' | head -n 1)
  elif has bash; then
    answer=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/localhost/$1" || exit; printf "GET %s HTTP/1.1\r\nHost: localhost:%s\r\nAccept: */*\r\nConnection: close\r\n\r\n" "$2" "$1" >&3; read -r line <&3; echo "$line"' bash "$3" "$4" 2>/dev/null)
  else
    said='this machine has neither curl nor wget nor bash to ask with: install curl, or let the worker ask (from: worker)'
  fi
  status=$(printf '%s\n' "$answer" | sed -n '1s,^HTTP/[0-9.]* \([1-9][0-9][0-9]\).*,\1,p')
  if [ -n "$status" ]; then said=''; fi
  # shellcheck disable=SC2254 # they are patterns
  for wanted in $5; do case $status in $wanted) well=yes ;; esac; done
  case $(printf '%s\n' "$answer" | sed '1,/^$/d') in *"$6"*) ;; *) body=- well=no ;; esac
  tell "$1" "$well" "${status:-0}" "$body" "$said"
}
# own NUMBER SECONDS SCRIPT, in base64, runs somebody's own. Its exit code goes past what it says, which may not end when
# it does.
# shellcheck disable=SC2016 # sed is to see it
own() {
  ran=$({ { timeout -k 1 "$2" sh -c "$(printf %s "$3" | base64 -d)" </dev/null 2>&1 4>&-; echo "$?" >&4; } | tail -c 2000 | tr -d '\r\000'; } 4>&1)
  code=$(printf '%s\n' "$ran" | sed -n '1p') said=$(printf '%s\n' "$ran" | sed '1d' | sed -n '/[^ ]/h; ${x;p;}')
  case $code in 124 | 137) said="it took longer than ${2}s" ;; esac
  well=no; [ "$code" != 0 ] || well=yes
  tell "$1" "$well" "$code" + "$said"
}
# uptime, unlike the time of day, is put forward by nobody.
uptime() { read -r now _ </proc/uptime; now=${now%%.*}; }
looks=0 bad=0 row=0
uptime; until=$((now + seconds))
while :; do
  ill=0; checks; looks=$((looks + 1))
  if [ "$ill" -eq 1 ]; then bad=$((bad + 1)) row=$((row + 1)); else row=0; fi
  uptime
  if [ "$row" -ge 2 ] || [ "$seconds" -eq 0 ] || { [ "$now" -ge "$until" ] && [ "$row" -eq 0 ]; }; then break; fi
  sleep "$every"
done
echo "end $looks $bad $row"
exit 0
