# patchtide:list
# Reads an object of S3 as AWS-RunPatchBaseline does on Windows: in the machine's region, with the credentials of its
# profile file, as a managed node has them, or else of its instance profile. Prints one line of JSON: S3's status, and
# its code or the SHA-256 of what was read; or why nothing could be asked. It writes nothing.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
# begin
$bucket = ''; $key = ''; $region = ''
# end
$utf8 = New-Object Text.UTF8Encoding($false)
$hash = [Security.Cryptography.SHA256]::Create()
function Get-Hex($bytes) { ([BitConverter]::ToString($bytes) -replace '-', '').ToLowerInvariant() }
function Get-Mac($with, $text) {
  $mac = New-Object Security.Cryptography.HMACSHA256
  $mac.Key = $with
  , $mac.ComputeHash($utf8.GetBytes($text))
}
function Read-Metadata($path, $header, $value, $method) {
  $request = [Net.WebRequest]::Create('http://169.254.169.254/latest/' + $path)
  $request.Method = $method
  $request.Timeout = 10000
  $request.Proxy = $null
  $request.Headers.Add($header, $value)
  if ($method -eq 'PUT') { $request.ContentLength = 0 }
  $reply = $request.GetResponse()
  try { (New-Object IO.StreamReader($reply.GetResponseStream())).ReadToEnd() } finally { $reply.Close() }
}
function Find-Credentials {
  $kept = @{}
  $file = Join-Path $env:USERPROFILE '.aws\credentials'
  if (Test-Path -LiteralPath $file) {
    $section = ''
    foreach ($line in [IO.File]::ReadAllLines($file)) {
      if ($line -match '^\s*\[\s*(.+?)\s*\]') { $section = $Matches[1] }
      elseif ($section -eq 'default' -and $line -match '^\s*(\w+)\s*=\s*(\S+)') { $kept[$Matches[1]] = $Matches[2] }
    }
  }
  if ($kept['aws_access_key_id']) { return $kept['aws_access_key_id'], $kept['aws_secret_access_key'], $kept['aws_session_token'] }
  $token = Read-Metadata 'api/token' 'X-aws-ec2-metadata-token-ttl-seconds' '60' 'PUT'
  $roles = 'meta-data/iam/security-credentials/'
  $role = (Read-Metadata $roles 'X-aws-ec2-metadata-token' $token 'GET').Split("`n")[0].Trim()
  $told = Read-Metadata ($roles + $role) 'X-aws-ec2-metadata-token' $token 'GET' | ConvertFrom-Json
  return $told.AccessKeyId, $told.SecretAccessKey, $told.Token
}
function Read-Object($in, $known) {
  $domain = if ($in.StartsWith('cn-')) { 'amazonaws.com.cn' } else { 'amazonaws.com' }
  $from = 's3.' + $in + '.' + $domain
  $path = '/' + $bucket + '/' + $key
  $invariant = [Globalization.CultureInfo]::InvariantCulture
  $now = [DateTime]::UtcNow
  $moment = $now.ToString("yyyyMMdd'T'HHmmss'Z'", $invariant)
  $scope = $now.ToString('yyyyMMdd', $invariant), $in, 's3', 'aws4_request'
  $nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  $signed = [ordered]@{ 'host' = $from; 'x-amz-content-sha256' = $nothing; 'x-amz-date' = $moment }
  if ($known[2]) { $signed['x-amz-security-token'] = $known[2] }
  $names = @($signed.Keys) -join ';'
  $asked = @('GET', $path, '') + @($signed.Keys | ForEach-Object { $_ + ':' + $signed[$_] }) + @('', $names, $nothing)
  $asked = Get-Hex ($hash.ComputeHash($utf8.GetBytes($asked -join "`n")))
  $text = ('AWS4-HMAC-SHA256', $moment, ($scope -join '/'), $asked) -join "`n"
  $by = $utf8.GetBytes('AWS4' + $known[1])
  foreach ($part in $scope) { $by = Get-Mac $by $part }
  $request = [Net.WebRequest]::Create('https://' + $from + $path)
  $request.AllowAutoRedirect = $false
  $request.Timeout = 60000
  foreach ($name in $signed.Keys) { if ($name -ne 'host') { $request.Headers.Add($name, $signed[$name]) } }
  $request.Headers.Add('Authorization', 'AWS4-HMAC-SHA256 Credential=' + $known[0] + '/' + ($scope -join '/') +
    ', SignedHeaders=' + $names + ', Signature=' + (Get-Hex (Get-Mac $by $text)))
  try { $reply = $request.GetResponse() } catch {
    $reply = $_.Exception.GetBaseException().Response
    if (-not $reply) { throw }
  }
  try {
    $memory = New-Object IO.MemoryStream
    $reply.GetResponseStream().CopyTo($memory)
    @{ status = [int]$reply.StatusCode; elsewhere = $reply.Headers['x-amz-bucket-region']; bytes = $memory.ToArray() }
  } finally { $reply.Close() }
}
$step = 'its credentials could not be read'
try {
  [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
  $known = Find-Credentials
  $step = 'S3 could not be asked'
  $read = Read-Object $region $known
  if ((301, 307, 400) -contains $read.status -and $read.elsewhere -and $read.elsewhere -ne $region) {
    $read = Read-Object $read.elsewhere $known
  }
  if ($read.status -eq 200) { $answer = @{ status = 200; sha256 = (Get-Hex ($hash.ComputeHash([byte[]]$read.bytes))) } }
  else {
    $code = [regex]::Match($utf8.GetString([byte[]]$read.bytes), '<Code>([A-Za-z0-9.]+)</Code>').Groups[1].Value
    $answer = @{ status = $read.status; code = $code }
  }
} catch {
  $answer = @{ why = $step + ': ' + $_.Exception.GetBaseException().Message }
}
[Console]::Out.WriteLine(($answer | ConvertTo-Json -Compress))
