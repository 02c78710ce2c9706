package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Which accounts get copies of images, and which have theirs shared, follows from where the groups of stages are.
func TestWhoCopiesImagesFollowsFromThePlan(t *testing.T) {
	const accounts = `accounts:
  - {name: a, id: "111122223333", role_arn: arn:aws:iam::111122223333:role/p, regions: [eu-west-1, us-east-1], image_key: alias/a}
  - {name: b, id: "222233334444", role_arn: arn:aws:iam::222233334444:role/p, regions: [eu-west-1], image_key: alias/b}
`
	for _, c := range []struct {
		name   string
		first  string // the first stage's group
		method string // of the second stage
		gets   string // accounts, by their names
		shares string
	}{
		{"it needs none", "account: b, region: eu-west-1", "image", "", ""},
		{"of another region", "account: b, region: us-east-1", "image", "b", ""},
		{"of another account", "account: a, region: eu-west-1", "image", "b", "a"},
		{"packages", "account: a, region: eu-west-1", "packages", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(accounts, "regions: [eu-west-1], image_key: alias/b", "regions: [eu-west-1, us-east-1], "+
				"image_key: alias/b", 1) + `plans:
  - name: web
    baseline: amazon-linux-2023
    pin: none
    stages:
      - {name: one, groups: [{` + c.first + `, tags: {Role: a}}]}
      - name: two
        groups: [{account: b, region: eu-west-1, tags: {Role: b}}]
` + map[string]string{"image": "        method: image\n        state_on_root: none\n"}[c.method] + `evidence: ./evidence
single_worker: true
journal_key_from: file:journal.key
`
			loaded, err := Parse("f.yaml", []byte(text), nil)
			require.NoError(t, err)
			gets, shares := "", ""
			for _, account := range []string{"a", "b"} {
				got, shared := loaded.Plans[0].CopiesImages(account)
				if got {
					gets += account
				}
				if shared {
					shares += account
				}
			}
			require.Equal(t, c.gets, gets)
			require.Equal(t, c.shares, shares)
			plan, err := loaded.Plan("web")
			require.NoError(t, err)
			var keys map[string]string
			if c.method == string(patch.MethodImage) {
				keys = map[string]string{"222233334444": "alias/b"}
			}
			require.Equal(t, keys, plan.Stages[1].ImageKeys)
		})
	}
}
