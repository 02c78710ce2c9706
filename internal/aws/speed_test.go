package aws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIntervalsToldToAWS(t *testing.T) {
	const product, lab = Speed(0), Speed(60)
	const ninetySeconds = 90e9
	require.EqualValues(t, 90, product.Seconds(ninetySeconds, 30, 36000))
	require.EqualValues(t, 5400, lab.Seconds(ninetySeconds, 30, 36000), "a scaled plan's 90 s are AWS's 90 minutes")
	require.EqualValues(t, 30, product.Seconds(1e9, 30, 36000))
	require.EqualValues(t, 36000, lab.Seconds(24*3600e9, 30, 36000))
}
