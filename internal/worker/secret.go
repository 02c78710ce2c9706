package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/config"
)

// ReadSecret reads a value from where the configuration says that it is kept; "" for no source. Its errors name the
// place, never the value.
func ReadSecret(ctx context.Context, source config.Source, awsConfig aws.Config) (string, error) {
	switch source.Kind() {
	case "":
		return "", nil
	case "env":
		value, found := os.LookupEnv(source.Name())
		if !found || value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", source.Name())
		}
		return value, nil
	case "file":
		content, err := os.ReadFile(source.Name())
		if err != nil {
			return "", err
		}
		return strings.TrimRight(string(content), "\r\n"), nil
	case "ssm":
		answer, err := ssm.NewFromConfig(awsConfig).GetParameter(
			ctx, &ssm.GetParameterInput{Name: aws.String(source.Name()), WithDecryption: aws.Bool(true)},
		)
		if err != nil {
			return "", fmt.Errorf("read the parameter %s: %w", source.Name(), err)
		}
		return aws.ToString(answer.Parameter.Value), nil
	}
	return "", errors.New("write env:NAME, file:PATH or ssm:/NAME")
}
