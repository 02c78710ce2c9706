# patchtide:facts
# Prints one line of JSON: what this machine is and which updates it holds. It changes nothing.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$system = Get-CimInstance Win32_OperatingSystem
$version = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
# The session manager is the first program of every boot. When it began was written down then, while LastBootUpTime is
# reckoned from the clock and moves when that is set, and events of the log are overwritten: one source, always there.
$first = Get-CimInstance Win32_Process -Filter "Name = 'smss.exe'" | Sort-Object CreationDate | Select-Object -First 1
$boot = $first.CreationDate.ToUniversalTime().ToString('yyyyMMddHHmmssffffff')
$pending = (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') -or
  (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired')
$lines = [string[]]@(Get-CimInstance Win32_QuickFixEngineering | ForEach-Object { $_.HotFixID + ' installed' } | Select-Object -Unique)
[Array]::Sort($lines, [StringComparer]::Ordinal)
$bytes = [Text.Encoding]::UTF8.GetBytes((($lines | ForEach-Object { $_ + "`n" }) -join ''))
$sum = [Security.Cryptography.SHA256]::Create().ComputeHash($bytes)
$memory = New-Object IO.MemoryStream
$gzip = New-Object IO.Compression.GZipStream($memory, [IO.Compression.CompressionMode]::Compress)
$gzip.Write($bytes, 0, $bytes.Length)
$gzip.Close()
# Not being able to tell is no reason to fail: the key is left out.
$domain = $null
try { $domain = [bool](Get-CimInstance Win32_ComputerSystem).PartOfDomain } catch { $domain = $null }
# A restore of the root volume brings back what is on its disk and nothing else.
$disks = @(Get-Partition | Where-Object { $_.IsBoot -or $_.IsSystem -or $_.DriveLetter -eq $env:SystemDrive[0] } | Select-Object -ExpandProperty DiskNumber -Unique)
$elsewhere = [string[]]@(if ($disks.Count -ne 1) { "the system is on the disks " + ($disks -join ' ') })
# AUOptions 4 downloads and installs by itself.
$policy = Get-ItemProperty 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU' -ErrorAction SilentlyContinue
$auto = $policy -and $policy.NoAutoUpdate -ne 1 -and $policy.AUOptions -eq 4
$patchers = [string[]]@(if ($auto) { 'Windows Update (AUOptions 4)' })
$facts = [ordered]@{
  boot_id = $boot; os = 'windows'; release = [string]$version.ProductName
  kernel = $system.Version + '.' + $version.UBR; pending_reboot = $pending; reboot_by = 'registry'
  domain_joined = $domain; elsewhere = $elsewhere; patchers = $patchers; broken = [string[]]@()
  packages_sha256 = ([BitConverter]::ToString($sum) -replace '-', '').ToLower()
  packages_gz = [Convert]::ToBase64String($memory.ToArray())
}
[Console]::Out.WriteLine(($facts | ConvertTo-Json -Compress))
