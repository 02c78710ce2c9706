package faultsweep

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// kept are the cases that once found a defect; they run always.
var kept = []string{
	// The wait for health failed while the instance was still Pending: taking it out again had to wait, and did not.
	"decrement: access denied at 111122223333 " +
		"DescribeTargetHealth(arn:aws:elasticloadbalancing:ap-northeast-1:111122223333:targetgroup/web/e01897c825ce8431)#34; at holds abort abort",
	// An exit from standby that AWS refused was undone like one that had taken effect: more room was made for an instance
	// that had never come out, and max had to be raised, for good, to bring it back.
	"surge: access denied at 111122223333 ExitStandby(i-a39abe6057dc0db4b)#1; at holds roll_back abort",
	// A person gave up while the undo of a group's mark whose setting had failed waited out the lag of reads: it was told
	// to carry a mark that nobody had looked for.
	"decrement: access denied at 222233334444 SendCommand(i-d41de767ba0e6bafb)#1, then 111122223333 " +
		"CreateOrUpdateTags()#1 fails for good; at holds skip abort",
	// A list of the group's members that lacked one for once made it look like what the surge had launched: a good, old
	// instance was terminated, the surge stayed, and both were called patched.
	"surge: not listed once at 111122223333 DescribeAutoScalingGroups(web)#4; at holds abort",
}

func keptCases(t *testing.T) []sweepCase {
	cases := make([]sweepCase, len(kept))
	for i, text := range kept {
		var err error
		cases[i], err = parseCase(text)
		require.NoError(t, err)
		require.Equal(t, text, cases[i].String())
	}
	return cases
}
