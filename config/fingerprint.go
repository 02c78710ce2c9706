package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/patchtide/patchtide/baselines"
)

// fingerprintLength is that of a fingerprint, in bytes: enough to tell the files of one team apart.
const fingerprintLength = 6

// Fingerprint is 12 hexadecimal digits that differ where waves would: of accounts, plans, blackouts, whom to tell, the
// journal's earlier keys, and the baselines of the plans. Comments, the order of keys and the settings of the process
// are not in it, so that a worker and an operator's machine with the same file have the same. The error is a baseline
// that is not there.
func (c *Config) Fingerprint() (string, error) {
	used := map[string]baselines.Baseline{}
	for _, plan := range c.Plans {
		for _, name := range plan.baselines() {
			baseline, err := c.Baselines.Load(name)
			if err != nil {
				return "", fmt.Errorf("plan %s: %w", plan.Name, err)
			}
			used[name] = baseline
		}
	}
	text, err := json.Marshal([]any{c.Accounts, c.Plans, c.Blackout, c.Notify, c.JournalOlderKeysFrom, used})
	if err != nil {
		return "", fmt.Errorf("the configuration's fingerprint: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:fingerprintLength]), nil
}
