package world

// InstallByHand installs a patch on an instance as somebody does who is logged in there: Systems Manager learns of it
// by the next scan only.
func (w *World) InstallByHand(instance *Instance, id string) {
	disk := instance.Disk()
	for _, patch := range w.Scenario.Patches {
		if patch.OS == disk.OS().Name && patch.ID == id {
			disk.install(patch)
			return
		}
	}
	panic("no patch " + id + " is there for " + disk.OS().Name)
}
