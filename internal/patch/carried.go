package patch

// ManifestRef names a manifest by its hash and whose evidence it is in.
type ManifestRef struct {
	WaveID string `json:"wave_id"`
	SHA256 string `json:"sha256"` // in hexadecimal
}

// CarriedProof is a machine of the stages before that was asked in this wave what it holds of an earlier manifest. It
// is small, for a history keeps one of each machine.
type CarriedProof struct {
	Instance string `json:"instance"`
	Group    string `json:"group"` // account/region/name
	System   string `json:"system"`
	Release  string `json:"release,omitempty"`
	BootID   string `json:"boot_id"`
	Packages []int  `json:"packages"`          // the places of those that it holds at exactly that version
	Removed  []int  `json:"removed,omitempty"` // of those that went and are not there
	// Blocked is what it holds and is blocked, by whom and why, the first of it: nobody else gets that.
	Blocked []string `json:"blocked,omitempty"`
}

// MostAskedForCarried is how many machines of the stages before are asked what they hold of an earlier manifest: one
// that holds a package proves it, and a few tell of all that any of them got.
const MostAskedForCarried = 20

// AsksForCarried picks whom to ask, of groups by their members' ids: one of each group, then the next of each, until
// there are enough.
func AsksForCarried(groups [][]string) (picked [][]string) {
	picked = make([][]string, len(groups))
	left := MostAskedForCarried
	for at := 0; ; at++ {
		more := false
		for i, members := range groups {
			if at < len(members) && left > 0 {
				picked[i], more = append(picked[i], members[at]), true
				left--
			}
		}
		if !more {
			return picked
		}
	}
}
