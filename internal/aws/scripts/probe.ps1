# patchtide:probe {"checks":[{"port":80,"path":"/healthz"}]}
# Asks the machine's health checks as the script for Linux does, and prints the same.
# begin
$seconds = 0; $every = 10
function Checks {
  $script:ca = ''
  Web 1 'http' 80 '/healthz' '[23]??' '' '' ''
  Own 2 10 'ZQB4AGkAdAAgADAA'
}
# end
$most = 60; $script:told = 0; $script:ill = $false
function Tell($number, $well, $status, $body, $said) {
  if (-not $well) { $script:ill = $true }
  if ($seconds -ne 0 -and $well) { return }
  $script:told++
  if ($script:told -gt $most) { return }
  $line = "$said" -replace '[^\x20-\x7e]', ' '
  if ($line.Length -gt 200) { $line = $line.Substring(0, 200) }
  '{0} {1} {2} {3} {4}' -f $number, $status, $body, [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ'), $line
}
# The certificates of a CA, which a chain has to end with.
function Authorities {
  $text = [System.Text.Encoding]::ASCII.GetString([Convert]::FromBase64String($script:ca))
  foreach ($one in [regex]::Matches($text, '(?s)-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----')) {
    $bytes = [Convert]::FromBase64String($one.Groups[1].Value)
    New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $bytes)
  }
}
# One GET to localhost, by hand: what would do it for us asks proxies, follows redirects and connects by the name.
function Web($number, $scheme, $port, $path, $statuses, $body, $name, $how) {
  $status = 0; $said = 'no answer'; $answer = ''
  $tcp = New-Object System.Net.Sockets.TcpClient
  try {
    $asked = if ($name) { $name } else { 'localhost' }
    if (-not $tcp.ConnectAsync('localhost', $port).Wait(5000)) { throw 'no answer' }
    $stream = $tcp.GetStream(); $stream.ReadTimeout = 5000; $stream.WriteTimeout = 5000
    if ($scheme -eq 'https') {
      $authorities = @(Authorities)
      $prove = {
        param($sender, $certificate, $chain, $errors)
        if ($how -eq 'insecure') { return $true }
        if ($how -ne 'ca') { return "$errors" -eq 'None' }
        if ("$errors" -match 'NameMismatch') { return $false }
        $proof = New-Object System.Security.Cryptography.X509Certificates.X509Chain
        $proof.ChainPolicy.RevocationMode = 'NoCheck'
        $proof.ChainPolicy.VerificationFlags = 'AllowUnknownCertificateAuthority'
        foreach ($one in $authorities) { [void]$proof.ChainPolicy.ExtraStore.Add($one) }
        foreach ($one in $chain.ChainElements) { [void]$proof.ChainPolicy.ExtraStore.Add($one.Certificate) }
        $leaf = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $certificate
        $built = $proof.Build($leaf)
        $last = $proof.ChainElements[$proof.ChainElements.Count - 1].Certificate
        return $built -and (@($authorities | Where-Object { $_.Thumbprint -eq $last.Thumbprint }).Count -gt 0)
      }.GetNewClosure()
      $stream = New-Object System.Net.Security.SslStream -ArgumentList $stream, $false, $prove
      $stream.ReadTimeout = 5000; $stream.WriteTimeout = 5000
      $stream.AuthenticateAsClient($asked, $null, [System.Security.Authentication.SslProtocols]::Tls12, $false)
    }
    $request = "GET $path HTTP/1.1`r`nHost: ${asked}:$port`r`nAccept: */*`r`nConnection: close`r`n`r`n"
    $bytes = [System.Text.Encoding]::ASCII.GetBytes($request)
    $stream.Write($bytes, 0, $bytes.Length); $stream.Flush()
    $buffer = New-Object byte[] 65536; $read = 0; $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while ($read -lt $buffer.Length -and $clock.ElapsedMilliseconds -lt 5000) {
      $more = 0
      try { $more = $stream.Read($buffer, $read, $buffer.Length - $read) } catch { if ($read -eq 0) { throw } }
      if ($more -le 0) { break }
      $read += $more
    }
    $answer = [System.Text.Encoding]::UTF8.GetString($buffer, 0, $read)
  } catch {
    $why = $_.Exception
    while ($why.InnerException) { $why = $why.InnerException }
    $said = $why.Message
  } finally { $tcp.Close() }
  if ($answer -match '^HTTP/[0-9.]+ ([1-9][0-9][0-9])') { $status = [int]$Matches[1]; $said = '' }
  $well = $false; $has = '+'
  foreach ($wanted in $statuses.Split(' ')) { if ("$status" -like $wanted) { $well = $true } }
  $text = ''
  $at = $answer.IndexOf("`r`n`r`n")
  if ($at -ge 0) { $text = $answer.Substring($at + 4) }
  if ($body -and -not $text.Contains($body)) { $has = '-'; $well = $false }
  Tell $number $well $status $has $said
}
# Somebody's own script, in base64 as PowerShell takes it.
function Own($number, $limit, $encoded) {
  $start = New-Object System.Diagnostics.ProcessStartInfo
  $start.FileName = 'powershell.exe'
  $start.Arguments = "-NoProfile -NonInteractive -EncodedCommand $encoded"
  $start.UseShellExecute = $false; $start.CreateNoWindow = $true
  $start.RedirectStandardOutput = $true; $start.RedirectStandardError = $true
  $code = 127; $said = ''
  try {
    $process = [System.Diagnostics.Process]::Start($start)
    $out = $process.StandardOutput.ReadToEndAsync(); $problems = $process.StandardError.ReadToEndAsync()
    if ($process.WaitForExit($limit * 1000)) {
      $code = $process.ExitCode
      foreach ($each in $out, $problems) {
        if ($each.Wait(1000)) { foreach ($line in $each.Result.Split("`n")) { if ($line.Trim()) { $said = $line.Trim() } } }
      }
    } else {
      $process.Kill(); $code = 124; $said = "it took longer than ${limit}s"
    }
  } catch { $said = $_.Exception.Message }
  Tell $number ($code -eq 0) $code '+' $said
}
$looks = 0; $bad = 0; $row = 0; $watch = [System.Diagnostics.Stopwatch]::StartNew()
while ($true) {
  $script:ill = $false; Checks; $looks++
  if ($script:ill) { $bad++; $row++ } else { $row = 0 }
  $over = $watch.Elapsed.TotalSeconds -ge $seconds
  if ($row -ge 2 -or $seconds -eq 0 -or ($over -and $row -eq 0)) { break }
  Start-Sleep -Seconds $every
}
"end $looks $bad $row"
exit 0
