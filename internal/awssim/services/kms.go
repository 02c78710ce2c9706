package services

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerKeys tells whether a key of KMS can be used. It encrypts nothing: a data key is made of zeros.
func registerKeys(r *api.Registry, w *world.World) {
	find := func(c api.Call, id *string) (*world.Key, error) {
		key := regionOf(w, c).Key(aws.ToString(id))
		if key == nil {
			return nil, api.Errorf("NotFoundException", "Key '%s' does not exist", aws.ToString(id))
		}
		return key, nil
	}
	api.Handle(r, "kms", "DescribeKey", []string{"KeyId"}, func(c api.Call, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
		key, err := find(c, in.KeyId)
		if err != nil {
			return nil, err
		}
		return &kms.DescribeKeyOutput{KeyMetadata: &types.KeyMetadata{
			KeyId: aws.String(key.ARN[strings.LastIndex(key.ARN, "/")+1:]), Arn: &key.ARN, AWSAccountId: &c.Account, Enabled: key.State == "Enabled",
			KeyState: types.KeyState(key.State), KeyManager: types.KeyManagerType(key.Manager), KeyUsage: types.KeyUsageTypeEncryptDecrypt,
		}}, nil
	})
	api.Handle(r, "kms", "GenerateDataKeyWithoutPlaintext", []string{"KeyId", "KeySpec", "DryRun"},
		func(c api.Call, in *kms.GenerateDataKeyWithoutPlaintextInput) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
			key, err := find(c, in.KeyId)
			switch {
			case err != nil:
				return nil, err
			case key.Denied || key.Manager == "AWS":
				// A key of AWS's is used through its service only.
				return nil, api.Errorf("AccessDeniedException", "User: %s is not authorized to perform: kms:GenerateDataKeyWithoutPlaintext on this resource "+
					"because no resource-based policy allows the kms:GenerateDataKeyWithoutPlaintext action", c.Caller)
			case key.State == "Disabled":
				return nil, api.Errorf("DisabledException", "%s is disabled.", key.ARN)
			case key.State != "Enabled":
				return nil, api.Errorf("KMSInvalidStateException", "%s is %s.", key.ARN, key.State)
			case aws.ToBool(in.DryRun):
				// A dry run that would have succeeded fails with this.
				return nil, api.Errorf("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
			}
			return &kms.GenerateDataKeyWithoutPlaintextOutput{KeyId: &key.ARN, CiphertextBlob: make([]byte, 32)}, nil
		})
}
