package evidence

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// MACService is what signing with a key of KMS needs of its client.
type MACService interface {
	DescribeKey(
		ctx context.Context, in *kms.DescribeKeyInput, options ...func(*kms.Options),
	) (*kms.DescribeKeyOutput, error)
	GenerateMac(
		ctx context.Context, in *kms.GenerateMacInput, options ...func(*kms.Options),
	) (*kms.GenerateMacOutput, error)
	VerifyMac(ctx context.Context, in *kms.VerifyMacInput, options ...func(*kms.Options)) (*kms.VerifyMacOutput, error)
}

// KMSKey signs with an HMAC_256 key whose secret never leaves KMS. Its user needs kms:DescribeKey, kms:GenerateMac and
// kms:VerifyMac.
type KMSKey struct {
	service MACService
	arn     string
}

// OpenKMSKey finds the key by id, ARN or alias. It is known by its ARN from then on: an alias that is moved to another
// key leaves what was signed before without proof, and that is seen.
func OpenKMSKey(ctx context.Context, id string, service MACService) (*KMSKey, error) {
	if service == nil {
		return nil, errors.New("there is no KMS client to ask for the key")
	}
	out, err := service.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		return nil, fmt.Errorf("describe the KMS key: %w", err)
	}
	switch key := out.KeyMetadata; {
	case key == nil:
		return nil, errors.New("KMS describes no key")
	case key.KeyUsage != types.KeyUsageTypeGenerateVerifyMac || key.KeySpec != types.KeySpecHmac256:
		return nil, fmt.Errorf(
			"the key is for %s (%s); make one with `aws kms create-key --key-usage GENERATE_VERIFY_MAC --key-spec HMAC_256`",
			key.KeyUsage, key.KeySpec,
		)
	case !key.Enabled:
		return nil, fmt.Errorf(
			"the key is %s; enable it, or what was signed with it cannot be trusted any more", key.KeyState,
		)
	default:
		return &KMSKey{service: service, arn: aws.ToString(key.Arn)}, nil
	}
}

// KeyID returns the key's ARN.
func (k *KMSKey) KeyID() string { return k.arn }

// String returns the ARN.
func (k *KMSKey) String() string { return "journal key " + k.arn }

// Sign has KMS make the authentication code of a digest.
func (k *KMSKey) Sign(ctx context.Context, digest []byte) ([]byte, error) {
	out, err := k.service.GenerateMac(
		ctx, &kms.GenerateMacInput{KeyId: &k.arn, Message: digest, MacAlgorithm: types.MacAlgorithmSpecHmacSha256},
	)
	if err != nil {
		return nil, fmt.Errorf("evidence: sign with the KMS key %s: %w", k.arn, err)
	}
	return out.Mac, nil
}

// Verify asks KMS. A code that is not the digest's is no error.
func (k *KMSKey) Verify(ctx context.Context, digest, signature []byte) (bool, error) {
	if len(signature) == 0 {
		return false, nil
	}
	out, err := k.service.VerifyMac(
		ctx,
		&kms.VerifyMacInput{KeyId: &k.arn, Message: digest, Mac: signature, MacAlgorithm: types.MacAlgorithmSpecHmacSha256},
	)
	var wrong *types.KMSInvalidMacException
	switch {
	case errors.As(err, &wrong):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("evidence: verify with the KMS key %s: %w", k.arn, err)
	}
	return out.MacValid, nil
}
