# patchtide:http 80 /healthz
# shellcheck shell=sh
# Prints the status code of one GET, or 000 where nothing answers. It follows no redirect, asks no proxy, and ends well
# whatever the answer is: that is judged elsewhere. The first line, and the next one, are written anew for each check.
port=80 path='/healthz'
PATH="/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}"; export PATH; LC_ALL=C; export LC_ALL
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY; no_proxy=localhost; export no_proxy
has() { command -v "$1" >/dev/null; }
# Wget tells headers among its errors: the first status line is the answer, others are of where it was led. It is given
# no time-out of its own: that of Debian's busybox ends in a segmentation fault.
# shellcheck disable=SC2016 # bash is to expand it
if has curl; then
  status=$(curl --silent --output /dev/null --noproxy '*' --max-time 5 --write-out '%{http_code}' "http://localhost:$port$path")
elif has wget; then
  status=$(timeout 5 wget -S -O /dev/null "http://localhost:$port$path" 2>&1 | sed -n 's,^ *HTTP/[0-9.]* \([0-9]*\).*,\1,p' | head -n 1)
elif has bash; then
  status=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/localhost/$1" || exit; printf "GET %s HTTP/1.1\r\nHost: localhost:%s\r\nAccept: */*\r\nConnection: close\r\n\r\n" "$2" "$1" >&3; read -r _ status _ <&3; echo "$status"' bash "$port" "$path" 2>/dev/null)
else
  echo "this machine has neither curl nor wget nor bash to ask with: install curl, or let the worker ask (from: worker)" >&2; exit 0
fi
case "$status" in [1-9][0-9][0-9]) echo "$status" ;; *) echo 000 ;; esac
