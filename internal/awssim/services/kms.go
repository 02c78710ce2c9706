package services

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerKeys tells whether a key of KMS can be used. It encrypts nothing: a data key is made of
// zeros. Authentication codes are real ones.
func registerKeys(r *api.Registry, w *world.World) {
	find := func(c api.Call, id *string) (*world.Key, error) {
		key := regionOf(w, c).KeyAnywhere(aws.ToString(id))
		if named := aws.ToString(id); key == nil && strings.HasPrefix(named, "arn:") &&
			!strings.Contains(named, ":"+c.Account+":") {
			return nil, noPolicy(c) // KMS does not tell other accounts what there is
		}
		if key == nil {
			return nil, api.Errorf("NotFoundException", "Key '%s' does not exist", aws.ToString(id))
		}
		return key, nil
	}
	api.Handle(
		r, "kms", "DescribeKey", []string{"KeyId"},
		func(c api.Call, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
			key, err := find(c, in.KeyId)
			if err == nil && key.Hidden {
				err = noPolicy(c)
			}
			if err != nil {
				return nil, err
			}
			metadata := &types.KeyMetadata{
				KeyId: aws.String(key.ARN[strings.LastIndex(key.ARN, "/")+1:]), Arn: &key.ARN,
				AWSAccountId: aws.String(strings.Split(key.ARN, ":")[4]),
				Enabled:      key.State == "Enabled",
				KeyState:     types.KeyState(key.State), KeyManager: types.KeyManagerType(key.Manager),
				KeyUsage: types.KeyUsageTypeEncryptDecrypt, KeySpec: types.KeySpecSymmetricDefault,
			}
			if key.MAC {
				metadata.KeyUsage, metadata.KeySpec = types.KeyUsageTypeGenerateVerifyMac, types.KeySpecHmac256
				metadata.MacAlgorithms = []types.MacAlgorithmSpec{types.MacAlgorithmSpecHmacSha256}
			}
			return &kms.DescribeKeyOutput{KeyMetadata: metadata}, nil
		})
	api.Handle(r, "kms", "GenerateDataKeyWithoutPlaintext", []string{"KeyId", "KeySpec", "DryRun"},
		func(c api.Call, in *kms.GenerateDataKeyWithoutPlaintextInput) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
			key, err := find(c, in.KeyId)
			if err == nil {
				err = usable(c, key, false)
			}
			switch {
			case err != nil:
				return nil, err
			case aws.ToBool(in.DryRun):
				// A dry run that would have succeeded fails with this.
				return nil, api.Errorf(
					"DryRunOperationException", "The request would have succeeded, but the DryRun option is set.",
				)
			}
			return &kms.GenerateDataKeyWithoutPlaintextOutput{KeyId: &key.ARN, CiphertextBlob: make([]byte, 32)}, nil
		})
	api.Handle(
		r, "kms", "GenerateMac", []string{"KeyId", "Message", "MacAlgorithm"},
		func(c api.Call, in *kms.GenerateMacInput) (*kms.GenerateMacOutput, error) {
			key, err := find(c, in.KeyId)
			if err == nil {
				err = usable(c, key, true)
			}
			if err != nil {
				return nil, err
			}
			return &kms.GenerateMacOutput{KeyId: &key.ARN, Mac: macOf(key, in.Message), MacAlgorithm: in.MacAlgorithm}, nil
		})
	api.Handle(
		r, "kms", "VerifyMac", []string{"KeyId", "Message", "Mac", "MacAlgorithm"},
		func(c api.Call, in *kms.VerifyMacInput) (*kms.VerifyMacOutput, error) {
			key, err := find(c, in.KeyId)
			if err == nil {
				err = usable(c, key, true)
			}
			switch {
			case err != nil:
				return nil, err
			case !hmac.Equal(in.Mac, macOf(key, in.Message)):
				return nil, api.Errorf("KMSInvalidMacException", "The HMAC is not the one of this message.")
			}
			return &kms.VerifyMacOutput{KeyId: &key.ARN, MacAlgorithm: in.MacAlgorithm, MacValid: true}, nil
		})
}

// usable tells why a caller cannot use a key for codes (mac) or for encryption.
func usable(c api.Call, key *world.Key, mac bool) error {
	switch {
	case !key.Serves("") || key.Manager == "AWS":
		// A key of AWS's is used through its service only.
		return noPolicy(c)
	case key.State == "Disabled":
		return api.Errorf("DisabledException", "%s is disabled.", key.ARN)
	case key.State != "Enabled":
		return api.Errorf("KMSInvalidStateException", "%s is %s.", key.ARN, key.State)
	case key.MAC != mac:
		return api.Errorf("InvalidKeyUsageException", "%s key usage is not valid for %s.", key.ARN, c.Operation)
	}
	return nil
}

// noPolicy is the refusal of a call that the key's policy does not allow.
func noPolicy(c api.Call) error {
	return api.Errorf("AccessDeniedException", "User: %s is not authorized to perform: kms:%s on this resource "+
		"because no resource-based policy allows the kms:%s action", c.Caller, c.Operation, c.Operation)
}

// macOf is the code of a message. The secret follows from the key's ARN: it only has to differ from key to key.
func macOf(key *world.Key, message []byte) []byte {
	code := hmac.New(sha256.New, []byte("simulated "+key.ARN))
	code.Write(message)
	return code.Sum(nil)
}
