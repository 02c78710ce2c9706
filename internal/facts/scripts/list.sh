# patchtide:list
# shellcheck shell=sh
# Reads an object of S3 as the module of AWS-RunPatchBaseline does (its patch_common/downloader): by Python, in the
# machine's region, with the credentials that boto3 finds there. Prints one line of JSON: S3's status, and its code or the
# SHA-256 of what was read; or why nothing could be asked. It writes nothing.
PATH="/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}"; export PATH
# begin
bucket='' key='' region=''
# end
for python in python3 python /usr/libexec/platform-python python2; do
  command -v "$python" >/dev/null && break
  python=
done
[ -n "$python" ] || { echo '{"why":"it has no Python, which AWS-RunPatchBaseline needs"}'; exit 0; }
"$python" - "$bucket" "$key" "$region" <<'PYTHON'
import hashlib, hmac, json, os, re, sys, time
try:
    from configparser import RawConfigParser
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener
except ImportError:
    from ConfigParser import RawConfigParser
    from urllib2 import HTTPError, HTTPRedirectHandler, ProxyHandler, Request, build_opener
bucket, key, region = sys.argv[1:]
env = os.environ.get
class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
def metadata(path, token=None):
    at = (env('AWS_EC2_METADATA_SERVICE_ENDPOINT') or 'http://169.254.169.254').rstrip('/') + '/latest/'
    if token is None:
        request = Request(at + path, headers={'X-aws-ec2-metadata-token-ttl-seconds': '60'})
        request.get_method = lambda: 'PUT'
    else:
        request = Request(at + path, headers={'X-aws-ec2-metadata-token': token})
    return build_opener(ProxyHandler({})).open(request, timeout=10).read().decode()
def credentials():
    if env('AWS_ACCESS_KEY_ID') and env('AWS_SECRET_ACCESS_KEY'):
        return env('AWS_ACCESS_KEY_ID'), env('AWS_SECRET_ACCESS_KEY'), env('AWS_SESSION_TOKEN')
    kept, section = RawConfigParser(), env('AWS_PROFILE') or 'default'
    kept.read([env('AWS_SHARED_CREDENTIALS_FILE') or os.path.expanduser('~/.aws/credentials')])
    if kept.has_option(section, 'aws_access_key_id'):
        token = kept.has_option(section, 'aws_session_token') and kept.get(section, 'aws_session_token')
        return kept.get(section, 'aws_access_key_id'), kept.get(section, 'aws_secret_access_key'), token
    token, roles = metadata('api/token'), 'meta-data/iam/security-credentials/'
    role = metadata(roles, token).split('\n')[0].strip()
    told = json.loads(metadata(roles + role, token))
    return told['AccessKeyId'], told['SecretAccessKey'], told['Token']
def sign(secret, text):
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()
def get(region, access, secret, token):
    domain = 'amazonaws.com.cn' if region.startswith('cn-') else 'amazonaws.com'
    base = (env('AWS_ENDPOINT_URL_S3') or 'https://s3.%s.%s' % (region, domain)).rstrip('/')
    path, now, nothing = '/%s/%s' % (bucket, key), time.gmtime(), hashlib.sha256(b'').hexdigest()
    moment, day = time.strftime('%Y%m%dT%H%M%SZ', now), time.strftime('%Y%m%d', now)
    headers = {'host': base.split('://')[1], 'x-amz-content-sha256': nothing, 'x-amz-date': moment}
    if token:
        headers['x-amz-security-token'] = token
    names, scope = ';'.join(sorted(headers)), '/'.join([day, region, 's3', 'aws4_request'])
    asked = '\n'.join(['GET', path, ''] + ['%s:%s' % (n, headers[n]) for n in sorted(headers)] + ['', names, nothing])
    text = '\n'.join(['AWS4-HMAC-SHA256', moment, scope, hashlib.sha256(asked.encode()).hexdigest()])
    by = ('AWS4' + secret).encode()
    for part in scope.split('/'):
        by = sign(by, part)
    headers['Authorization'] = 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s' % (
        access, scope, names, hmac.new(by, text.encode(), hashlib.sha256).hexdigest())
    return build_opener(Stay()).open(Request(base + path, headers=headers), timeout=60).read()
answer, step = {}, 'its credentials could not be read'
try:
    known, elsewhere = credentials(), None
    step = 'S3 could not be asked'
    try:
        try:
            read = get(region, *known)
        except HTTPError as refused:
            elsewhere = refused.headers.get('x-amz-bucket-region')
            if refused.code not in (301, 307, 400) or elsewhere in (None, region):
                raise
            read = get(elsewhere, *known)
        answer = {'status': 200, 'sha256': hashlib.sha256(read).hexdigest()}
    except HTTPError as refused:
        code = re.search('<Code>([A-Za-z0-9.]+)</Code>', refused.read(4096).decode('utf-8', 'replace'))
        answer = {'status': refused.code, 'code': code.group(1) if code else ''}
except Exception as error:
    answer = {'why': '%s: %s: %s' % (step, type(error).__name__, str(error)[:200])}
print(json.dumps(answer))
PYTHON
