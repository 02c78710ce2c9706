package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// ParameterGetter is the one call of the SSM client that a key from a parameter needs.
type ParameterGetter interface {
	GetParameter(ctx context.Context, in *ssm.GetParameterInput, options ...func(*ssm.Options)) (
		*ssm.GetParameterOutput, error,
	)
}

// KeyPlaces are the clients for where a key may be; either may be nil where no such place is configured.
type KeyPlaces struct {
	Parameters ParameterGetter
	KMS        MACService
}

// PlacesOf asks for keys with an AWS configuration.
func PlacesOf(config aws.Config) KeyPlaces {
	return KeyPlaces{Parameters: ssm.NewFromConfig(config), KMS: kms.NewFromConfig(config)}
}

// LoadKey finds the journal key where `journal_key_from` points:
//
//	file:/run/secrets/journal-key   the file's content, without a newline at its end
//	ssm:/patchtide/journal-key      an SSM parameter's value (a SecureString), read with decryption
//	kms:alias/patchtide-journal     a KMS key for HMAC_256, which never leaves KMS; its id or ARN as well
//
// A value is used as it is and must have at least 32 bytes. An error names the place and never the value.
func LoadKey(ctx context.Context, from string, places KeyPlaces) (Signer, error) {
	signer, err := loadKey(ctx, from, places)
	if err != nil {
		return nil, fmt.Errorf("journal_key_from: %w", err)
	}
	return signer, nil
}

// LoadOlderKeys finds the keys of `journal_older_keys_from`, which only prove what was signed before.
func LoadOlderKeys(ctx context.Context, from []string, places KeyPlaces) ([]Signer, error) {
	var keys []Signer
	for _, one := range from {
		key, err := loadKey(ctx, one, places)
		if err != nil {
			return nil, fmt.Errorf("journal_older_keys_from: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func loadKey(ctx context.Context, from string, places KeyPlaces) (Signer, error) {
	kind, name, found := strings.Cut(from, ":")
	if !found || name == "" {
		return nil, fmt.Errorf(
			"%q names no place; write it like \"file:/run/secrets/journal-key\" or \"ssm:/patchtide/journal-key\"", from,
		)
	}
	var signer Signer
	var secret []byte
	var err error
	switch kind {
	case "file":
		secret, err = os.ReadFile(name)
		secret = bytes.TrimRight(secret, "\r\n")
	case "ssm":
		secret, err = parameter(ctx, name, places.Parameters)
	case "kms":
		signer, err = OpenKMSKey(ctx, name, places.KMS)
	default:
		err = fmt.Errorf("%q is not a kind of place; use file:, ssm: or kms: instead", kind)
	}
	if err == nil && signer == nil {
		signer, err = NewKey(secret)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return signer, nil
}

func parameter(ctx context.Context, name string, parameters ParameterGetter) ([]byte, error) {
	if parameters == nil {
		return nil, errors.New("there is no SSM client to read the parameter with")
	}
	out, err := parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("read the SSM parameter: %w", err)
	}
	if out.Parameter == nil || aws.ToString(out.Parameter.Value) == "" {
		return nil, errors.New("the SSM parameter is empty")
	}
	return []byte(aws.ToString(out.Parameter.Value)), nil
}
