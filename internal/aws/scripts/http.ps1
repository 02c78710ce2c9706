# patchtide:http 80 /healthz
# Prints the status code of one GET, or 0 where nothing answers, as the script for Linux does.
$url = 'http://localhost:80/healthz'
$request = [System.Net.WebRequest]::Create($url)
$request.Timeout = 5000; $request.AllowAutoRedirect = $false; $request.Proxy = $null
# An answer of 400 and above arrives as an exception, wrapped once more by PowerShell.
$answer = $null
try { $answer = $request.GetResponse() } catch {
  $why = $_.Exception
  while ($why -and -not $why.Response) { $why = $why.InnerException }
  if ($why) { $answer = $why.Response }
}
if ($answer) { [int]$answer.StatusCode; $answer.Close() } else { 0 }
exit 0
