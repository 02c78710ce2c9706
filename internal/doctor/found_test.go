package doctor_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/doctor"
	"github.com/patchtide/patchtide/internal/evidence"
)

func TestWhatIsFoundInAWS(t *testing.T) {
	everything := `{"Effect": "Allow", "Action": "*", "Resource": "*"}`
	for name, tc := range map[string]struct {
		break_      func(b *scene)
		check       string
		where       string
		state       doctor.State
		says, mends []string
		others      int // further results that are not ok
	}{
		"wrong external id": {
			func(b *scene) { b.t.Setenv("PATCHTIDE_EXTERNAL_ID", "wrong") }, "role", "production/ap-northeast-1", doctor.Problem,
			[]string{"role/patchtide may not be assumed", "AccessDenied"},
			[]string{"arn:aws:iam::999900001111:user/patchtide", "env:PATCHTIDE_EXTERNAL_ID"},
			1,
		},
		"no external id": {
			func(b *scene) { b.t.Setenv("PATCHTIDE_EXTERNAL_ID", "") }, "role", "production/ap-northeast-1", doctor.Problem,
			[]string{"PATCHTIDE_EXTERNAL_ID is not set"},
			[]string{"external_id_from"},
			1,
		},
		"a role of another account": {
			func(b *scene) {
				b.replace(`id: "111122223333"`, `id: "999900002222"`)
				b.replace("iam::111122223333:", "iam::999900002222:")
			}, "role", "production/ap-northeast-1", doctor.Problem,
			[]string{"may not be assumed"},
			[]string{"trust policy"},
			0,
		},
		"unknown keys": {
			func(b *scene) { b.key = "AKIAUNKNOWN" }, "credentials", "AWS", doctor.Problem,
			[]string{"InvalidClientTokenId"},
			[]string{"instance or task role"},
			2,
		},
		"an instance without a patch group": {
			func(b *scene) {
				b.aws.Inspect(func(w *world.World) {
					group, err := w.Account(production).Region(tokyo).ScalingGroup("web")
					require.NoError(b.t, err)
					delete(group.Members()[0].Instance.Tags, "PatchGroup")
				})
			}, "patch group", "production/ap-northeast-1/web", doctor.Problem,
			[]string{"1 of 4 instances are not in the patch group amazon-linux-2023", "(none)"},
			[]string{
				"aws ec2 create-tags --region ap-northeast-1 --resources i-", "PropagateAtLaunch=true",
			},
			0,
		},
		"a patch group that another baseline has": {
			func(b *scene) {
				b.aws.Inspect(func(w *world.World) {
					region := w.Account(production).Region(tokyo)
					theirs, err := region.CreateBaseline(world.Baseline{Name: "theirs", OS: "AMAZON_LINUX_2023"})
					require.NoError(b.t, err)
					require.NoError(b.t, region.RegisterPatchGroup("amazon-linux-2023", theirs.ID))
				})
			}, "patch group", "production/ap-northeast-1/web", doctor.Problem,
			[]string{"registered with the baseline theirs"},
			[]string{"deregister-patch-baseline-for-patch-group", "--patch-group 'amazon-linux-2023'"},
			0,
		},
		"actions that are missing": {
			func(b *scene) {
				b.policy(allBut("autoscaling:EnterStandby", "ssm:StopAutomationExecution"))
			}, "permissions", "production arn:aws:iam::111122223333:role/patchtide", doctor.Problem,
			[]string{"2 of ", "not allowed: autoscaling:EnterStandby ssm:StopAutomationExecution"},
			[]string{`"Action": ["autoscaling:EnterStandby", "ssm:StopAutomationExecution"]`},
			0,
		},
		"an action that a policy denies": {
			func(b *scene) {
				b.policy(everything + `, {"Effect": "Deny", "Action": "ec2:CreateSnapshot", "Resource": "*",
					"Condition": {"Null": {"aws:RequestTag/CostCenter": "true"}}}`)
			}, "permissions", "production arn:aws:iam::111122223333:role/patchtide", doctor.Problem,
			[]string{"1 of ", "denied by a policy of the role: ec2:CreateSnapshot"},
			[]string{"another Allow changes nothing", "tags that a request lacks"},
			0,
		},
		"an action that the organisation denies": {
			func(b *scene) {
				b.organisation(everything + `, {"Effect": "Deny", "Action": "ec2:CreateSnapshot", "Resource": "*"}`)
			}, "permissions", "production arn:aws:iam::111122223333:role/patchtide", doctor.Problem,
			[]string{"1 of ", "denied by a policy of the organisation (service control policy): ec2:CreateSnapshot"},
			[]string{"an Allow in the role's policy changes nothing", "who owns the organisation's policies"},
			0,
		},
		"a region that the organisation leaves out": {
			func(b *scene) {
				b.organisation(`{"Effect": "Allow", "Action": "*", "Resource": "*",
					"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}`)
			}, "group", "production/ap-northeast-1/web", doctor.Problem,
			[]string{"no service control policy allows the autoscaling:DescribeAutoScalingGroups action"},
			[]string{"ask who owns the organisation's policies"},
			2, // what is read of the baseline, and what the role may do
		},
		"an action on this group only": {
			func(b *scene) {
				b.policy(`{"Effect": "Allow", "Action": ["iam:*", "ec2:*", "ssm:*", "elasticloadbalancing:*", "cloudwatch:*", "cloudformation:*", "codedeploy:*", "autoscaling:Describe*"], "Resource": "*"},
					{"Effect": "Allow", "Action": "autoscaling:*", "Resource": "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/web"}`)
			}, "permissions", "production arn:aws:iam::111122223333:role/patchtide", doctor.Unknown,
			[]string{"some resources", "autoscaling:EnterStandby"},
			[]string{"covers every group"},
			0,
		},
		"a function of a hook that the role may not invoke": {
			func(b *scene) {
				b.replace("      - name: production\n", "      - name: production\n        hooks: {before_out: [{name: drain, "+
					"lambda: {function: 'drain:live'}}, {name: a, lambda: {function: may}}]}\n")
				b.policy(allBut() + `, {"Effect": "Allow", "Action": "lambda:InvokeFunction",
					"Resource": "arn:aws:lambda:ap-northeast-1:111122223333:function:may"}`)
			}, "permissions", "arn:aws:lambda:ap-northeast-1:111122223333:function:drain:live", doctor.Problem,
			[]string{"may not invoke it, which a hook does"},
			[]string{`"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:ap-northeast-1:111122223333:function:drain:live"`},
			0,
		},
		"a role that may not ask IAM": {
			func(b *scene) { b.policy(everything + `, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}`) },
			"permissions", "production arn:aws:iam::111122223333:role/patchtide", doctor.Unknown,
			[]string{"may not ask IAM", "iam:SimulatePrincipalPolicy"},
			[]string{`"Action": "iam:SimulatePrincipalPolicy"`},
			0,
		},
		"a role that may not be passed": {
			func(b *scene) {
				b.policy(everything + `, {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}`)
			},
			"permissions", "arn:aws:iam::111122223333:role/patchtide-automation", doctor.Problem,
			[]string{"may not pass it", "a policy of the role denies iam:PassRole"},
			[]string{"another Allow changes nothing"},
			0,
		},
		"a role that nothing lets be passed": {
			func(b *scene) { b.policy(allBut("iam:PassRole")) },
			"permissions", "arn:aws:iam::111122223333:role/patchtide-automation", doctor.Problem,
			[]string{"may not pass it"},
			[]string{`"iam:PassedToService": "ssm.amazonaws.com"`},
			0,
		},
		"Automation's role may not cancel commands": {
			func(b *scene) {
				policy, err := world.ParsePolicy(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
					"Action": ["ssm:SendCommand", "ssm:List*", "ssm:Describe*", "ssm:Get*"], "Resource": "*"}]}`)
				require.NoError(b.t, err)
				b.aws.Inspect(func(w *world.World) { w.Account(production).SetPolicy("patchtide-automation", policy) })
			},
			"permissions", "arn:aws:iam::111122223333:role/patchtide-automation", doctor.Problem,
			[]string{"Automation may not do with it: ssm:CancelCommand"},
			[]string{`"Action": ["ssm:CancelCommand"]`},
			0,
		},
		"a read that is denied": {
			func(b *scene) {
				b.policy(everything + `, {"Effect": "Deny", "Action": "ssm:DescribeInstanceInformation", "Resource": "*"}`)
			},
			"agents", "production/ap-northeast-1/web", doctor.Problem,
			[]string{"AccessDenied", "ssm:DescribeInstanceInformation"},
			[]string{"an Allow in the role's policy changes nothing", "take the Deny out"},
			1,
		},
		"a group that is not there": {
			func(b *scene) { b.replace("auto_scaling_group: web", "auto_scaling_group: shop") }, "group",
			"production/ap-northeast-1/shop", doctor.Problem,
			[]string{"no such Auto Scaling group"},
			[]string{"correct the group's name"},
			0,
		},
		"tags that nobody has": {
			func(b *scene) { b.replace("Role: web", "Role: shop") }, "agents", "staging/ap-northeast-1/Role=shop",
			doctor.Unknown,
			[]string{"no instance runs there"},
			[]string{"tags"},
			0,
		},
		"another operating system": {
			func(b *scene) { b.replace("baseline: amazon-linux-2023", "baseline: ubuntu-22.04") }, "agents",
			"production/ap-northeast-1/web", doctor.Problem,
			[]string{"4 of 4", "Amazon Linux 2023", "UBUNTU"},
			[]string{"baseline of that system"},
			3, // in both places neither system nor patch group fits
		},
		"agents that fell silent": {
			func(b *scene) {
				b.aws.Inspect(func(w *world.World) {
					for _, i := range w.Account(production).Region(tokyo).Instances() {
						i.StopAgent() // SSM learns of it after five minutes
						break
					}
				})
			}, "agents", "production/ap-northeast-1/web", doctor.Problem, []string{"1 of 4: i-", "ConnectionLost", "not online"}, []string{"systemctl restart amazon-ssm-agent"}, 0,
		},
		"instances that Systems Manager does not know": {
			func(b *scene) {
				b.aws.Inspect(func(w *world.World) {
					for _, i := range w.Account(production).Region(tokyo).Instances()[:2] {
						i.ForgetAgent()
					}
				})
			}, "agents", "production/ap-northeast-1/web", doctor.Problem,
			[]string{"2 of 4: i-", "unknown to Systems Manager"},
			[]string{"AmazonSSMManagedInstanceCore", "`aws ssm describe-instance-information --region ap-northeast-1`"},
			0,
		},
		"a baseline that somebody changed": {
			func(b *scene) {
				b.aws.Inspect(func(w *world.World) {
					_, err := w.Account(production).Region(tokyo).CreateBaseline(
						world.Baseline{Name: "patchtide-amazon-linux-2023", OS: "AMAZON_LINUX_2023", Description: "mine"},
					)
					require.NoError(b.t, err)
				})
			}, "baseline", "production/ap-northeast-1", doctor.Problem, []string{
				"differs from the file", `description is "mine"`, "it was changed last on ", "Patchtide has not written it",
			}, []string{"next wave makes it equal", "patchtide baseline sync amazon-linux-2023"}, 0,
		},
		"a clock that is off": {
			func(b *scene) { b.ahead = time.Minute }, "clock", "AWS", doctor.Problem,
			[]string{"this machine's clock is ", "behind AWS's"},
			[]string{"chronyc"},
			0,
		},
		"no journal key": {
			func(b *scene) { b.replace("journal.key", "other.key") }, "journal key", "", doctor.Problem,
			[]string{"no such file"},
			[]string{"openssl rand -base64 48"},
			0,
		},
		"no older journal key": {
			func(b *scene) {
				b.replace("\njournal_key_from:", "\njournal_older_keys_from: [file:/no/such/key]\njournal_key_from:")
			}, "older journal key", "file:/no/such/key", doctor.Problem,
			[]string{"no such file"},
			[]string{"put it back where journal_older_keys_from says"},
			0,
		},
		"evidence that is signed with another key": {
			func(b *scene) {
				at := strings.Index(b.text, "\nevidence: ") + len("\nevidence: ")
				folder := b.text[at : at+strings.Index(b.text[at:], "\n")]
				store, err := evidence.Open(b.t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
				require.NoError(b.t, err)
				require.NoError(b.t, store.BeginSigning(b.t.Context(), time.Now()))
				require.NoError(b.t, store.Close())
			}, "evidence", "", doctor.Problem,
			[]string{"it is signed with the key ", "a worker does not start so"},
			[]string{"journal_older_keys_from"},
			0,
		},
		"no place for evidence": {
			func(b *scene) { b.replace("/evidence\n", "/journal.key/evidence\n") }, "evidence", "", doctor.Problem,
			[]string{"cannot be written"},
			[]string{"write into the folder"},
			0,
		},
		"a bucket of another region": {
			func(b *scene) {
				at := strings.Index(b.text, "\nevidence: ") + 1
				line := b.text[at : at+strings.Index(b.text[at:], "\n")]
				b.replace(line, "evidence: s3://far/patchtide")
				far := s3.New(s3.Options{
					Region: "us-east-1", HTTPClient: &http.Client{Transport: awssim.RoundTripper(b.aws)},
					Credentials: credentials.NewStaticCredentialsProvider(b.key, "made-up", ""),
				})
				_, err := far.CreateBucket(b.t.Context(), &s3.CreateBucketInput{Bucket: aws.String("far")})
				require.NoError(b.t, err)
			}, "evidence", "s3://far/patchtide", doctor.Problem,
			[]string{"the bucket is in us-east-1, and S3 is asked for it in ap-northeast-1"},
			[]string{"AWS_REGION=us-east-1"},
			0,
		},
		"no bucket": {
			func(b *scene) {
				at := strings.Index(b.text, "\nevidence: ") + 1
				line := b.text[at : at+strings.Index(b.text[at:], "\n")]
				b.replace(line, "evidence: s3://nobodys/patchtide")
			}, "evidence", "s3://nobodys/patchtide", doctor.Problem, []string{"NoSuchBucket"}, []string{"s3:PutObject"}, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newScene(t)
			tc.break_(b)
			found := findings(b.look())
			at := slices.IndexFunc(
				found, func(r doctor.Result) bool { return r.Check == tc.check && (tc.where == "" || r.Where == tc.where) },
			)
			require.GreaterOrEqual(t, at, 0, "%+v", found)
			require.Equal(t, tc.state, found[at].State)
			for _, part := range tc.says {
				require.Contains(t, found[at].Says, part)
			}
			for _, part := range tc.mends {
				require.Contains(t, found[at].Mend, part)
			}
			require.Len(t, found, 1+tc.others, "%+v", found)
		})
	}
}
