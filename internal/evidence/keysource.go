package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// ParameterGetter is the one call of the SSM client that a key from a parameter needs.
type ParameterGetter interface {
	GetParameter(ctx context.Context, in *ssm.GetParameterInput, options ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// LoadKey reads the journal key from where `journal_key_from` points:
//
//	file:/run/secrets/journal-key   the file's content, without a newline at its end
//	ssm:/patchtide/journal-key      an SSM parameter's value (a SecureString), read with decryption
//
// The value is used as it is and must have at least 32 bytes. parameters may be nil where no ssm: key is configured. An
// error names the place and never the value.
func LoadKey(ctx context.Context, from string, parameters ParameterGetter) (*Key, error) {
	kind, name, found := strings.Cut(from, ":")
	if !found || name == "" {
		return nil, fmt.Errorf("journal_key_from: %q names no place; write it like \"file:/run/secrets/journal-key\" or \"ssm:/patchtide/journal-key\"", from)
	}
	var secret []byte
	var err error
	switch kind {
	case "file":
		secret, err = os.ReadFile(name)
		secret = bytes.TrimRight(secret, "\r\n")
	case "ssm":
		secret, err = parameter(ctx, name, parameters)
	case "kms":
		err = errors.New("a key that stays in KMS is not supported yet; use file: or ssm: instead")
	default:
		err = fmt.Errorf("%q is not a kind of place; use file: or ssm: instead", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("journal_key_from: %s: %w", from, err)
	}
	key, err := NewKey(secret)
	if err != nil {
		return nil, fmt.Errorf("journal_key_from: %s: %w", from, err)
	}
	return key, nil
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
