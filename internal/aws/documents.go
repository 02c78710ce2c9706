package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// FindDocument reads a version of a document; nil when there is none.
func FindDocument(ctx context.Context, s *Services, where, name, version string) (*ssm.GetDocumentOutput, error) {
	out, err := s.SSM.GetDocument(ctx, &ssm.GetDocumentInput{
		Name: &name, DocumentVersion: &version, DocumentFormat: ssmtypes.DocumentFormatYaml,
	})
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Wrap("read the document "+name, where, err)
	}
	return out, nil
}

// FindDescription describes a version of a document; nil when there is none.
func FindDescription(
	ctx context.Context, s *Services, where, name, version string,
) (*ssmtypes.DocumentDescription, error) {
	out, err := s.SSM.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: &name, DocumentVersion: &version})
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Wrap("describe the document "+name, where, err)
	}
	return out.Document, nil
}
