# patchtide:reboot
# Reboots the machine once: by the agent, which runs this script again after the boot. One that has booted since it was
# asked is left alone, whoever rebooted it, so that a command that was sent twice or comes late does nothing.
$ErrorActionPreference = 'Stop'
$asked = 'BOOT_ID'
# As facts.ps1 reckons it: a boot is known by when its session manager began.
$first = Get-CimInstance Win32_Process -Filter "Name = 'smss.exe'" | Sort-Object CreationDate | Select-Object -First 1
$boot = $first.CreationDate.ToUniversalTime().ToString('yyyyMMddHHmmssffffff')
if ($boot -ne $asked) {
  [Console]::Out.WriteLine("patchtide: booted $boot")
  exit 0
}
exit 3010
