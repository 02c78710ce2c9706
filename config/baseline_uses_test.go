package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
)

// Where a baseline is used is told once for each account and region, with all plans, also where a stage or a group
// names another than its plan.
func TestBaselineUses(t *testing.T) {
	text := string(config.Example())
	loaded, err := config.Parse("patchtide.yaml", []byte(text), nil)
	require.NoError(t, err)
	require.Equal(t, []config.BaselineUse{
		{Baseline: "amazon-linux-2023", Account: "staging", Region: "ap-northeast-1", Plans: []string{"web"}},
		{Baseline: "amazon-linux-2023", Account: "production", Region: "ap-northeast-1", Plans: []string{"web"}},
	}, loaded.BaselineUses())

	const stage = "      - name: production\n"
	require.Contains(t, text, stage)
	tiered := strings.Replace(text, stage, stage+"        baseline: debian-12\n", 1)
	loaded, err = config.Parse("patchtide.yaml", []byte(tiered), nil)
	require.NoError(t, err)
	require.Equal(t, []config.BaselineUse{
		{Baseline: "amazon-linux-2023", Account: "staging", Region: "ap-northeast-1", Plans: []string{"web"}},
		{Baseline: "debian-12", Account: "production", Region: "ap-northeast-1", Plans: []string{"web"}},
	}, loaded.BaselineUses())
}
