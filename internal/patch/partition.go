package patch

import "strings"

// partitions are the beginnings of the names of regions outside AWS's commercial partition (AWS's guide on fault
// isolation boundaries, Partitions).
var partitions = []string{"cn-", "us-gov-", "us-iso-", "us-isob-", "us-isof-", "eu-isoe-", "eusc-"}

// SamePartition reports whether two regions are of one partition, beyond which nothing is shared or copied.
func SamePartition(one, other string) bool { return partition(one) == partition(other) }

func partition(region string) string {
	for _, prefix := range partitions {
		if strings.HasPrefix(region, prefix) {
			return prefix
		}
	}
	return ""
}
