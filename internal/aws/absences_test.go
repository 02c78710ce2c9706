package aws_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
)

// Each list of AWS may lack what is there, once. Nobody takes that for gone; what stays away is believed to be.
func TestAnAbsenceIsBelievedOnceItLasts(t *testing.T) {
	for _, c := range []struct {
		list, operation string
		gone            string // what the reader says of what is believed absent
		read            func(t *testing.T, s *aws.Services, in aws.Instance) error
	}{
		{"EC2's of the instance", "DescribeInstances", aws.Gone, func(t *testing.T, s *aws.Services, in aws.Instance) error {
			_, err := aws.ReadMachine(t.Context(), s, in)
			return err
		}},
		{"EC2's, read with its group", "DescribeInstances", aws.Gone, func(t *testing.T, s *aws.Services, in aws.Instance) error {
			_, _, err := aws.ReadMember(t.Context(), s, in)
			return err
		}},
		{
			"Auto Scaling's of groups", "DescribeAutoScalingGroups", aws.GroupNotFound,
			func(t *testing.T, s *aws.Services, in aws.Instance) error {
				_, err := aws.ReadGroup(t.Context(), s, in.Group)
				return err
			},
		},
	} {
		t.Run(c.list, func(t *testing.T) {
			f := simtest.New(t, simtest.Options{})
			s := f.Services(simtest.Production)
			it := aws.Instance{Group: simtest.Production, ID: f.Instances(simtest.Production.Account.ID)[0]}
			empty := false
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if empty && call.Operation == c.operation {
					return awssim.Fault{Kind: awssim.FaultEmpty}
				}
				return awssim.Fault{}
			})
			look := func() string { return aws.KindOf(c.read(t, s, it)) }
			require.Empty(t, look())
			empty = true
			require.Equal(t, aws.Passing, look())
			f.Pass(50 * time.Second)
			require.Equal(t, aws.Passing, look())
			empty = false
			require.Empty(t, look())
			empty = true
			f.Pass(20 * time.Second)
			require.Equal(t, aws.Passing, look(), "it was there meanwhile")
			f.Pass(4 * time.Minute)
			require.Equal(t, aws.Passing, look(), "nobody looked meanwhile")
			f.Pass(time.Minute)
			require.Equal(t, c.gone, look())
		})
	}
}
