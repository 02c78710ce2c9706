package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// objects is what the store needs of a place. Names are relative, with forward slashes.
type objects interface {
	// create writes a new object, all of it or nothing. When the name is taken it returns errTaken.
	create(ctx context.Context, name string, content []byte) error
	// replace writes an object whether or not it is there.
	replace(ctx context.Context, name string, content []byte) error
	// read returns errMissing when there is no such object.
	read(ctx context.Context, name string) ([]byte, error)
	// list returns the names that begin with a prefix, the prefix cut off, sorted. Folders end with a slash, and what is
	// in them is not listed.
	list(ctx context.Context, prefix string) ([]string, error)
	close() error
}

var (
	errTaken   = errors.New("the name is taken")
	errMissing = errors.New("there is no such object")
)

// bucket is a place behind a gocloud.dev driver whose IfNotExist is atomic: S3 and memory.
type bucket struct {
	*blob.Bucket
	name, region string // of S3's: its name, and where it is asked for
}

// conflictOfS3 is the code with which S3 refuses a conditional write while another write of the same name is under way;
// the driver knows only the other one, for a name that is taken.
const conflictOfS3 = "ConditionalRequestConflict"

// told is an error in the words of OtherRegionError where S3's answer names another region than the one that was asked:
// 301 PermanentRedirect, and 403 to who may not use the bucket (S3's guide on requests, the reference of HeadBucket).
func (b bucket) told(err error) error {
	var answer *smithyhttp.ResponseError
	if b.name == "" || !errors.As(err, &answer) || answer.Response == nil {
		return err
	}
	is := answer.Response.Header.Get("X-Amz-Bucket-Region")
	if is == "" || is == b.region {
		return err
	}
	return &OtherRegionError{Bucket: b.name, Is: is, Asked: b.region}
}

func (b bucket) create(ctx context.Context, name string, content []byte) error {
	err := b.WriteAll(ctx, name, content, &blob.WriterOptions{ContentType: "application/json", IfNotExist: true})
	var answer smithy.APIError
	switch {
	case err == nil:
		return nil
	case gcerrors.Code(err) == gcerrors.FailedPrecondition,
		errors.As(err, &answer) && answer.ErrorCode() == conflictOfS3:
		return errTaken
	}
	return fmt.Errorf("create %s: %w", name, b.told(err))
}

func (b bucket) replace(ctx context.Context, name string, content []byte) error {
	if err := b.WriteAll(ctx, name, content, &blob.WriterOptions{ContentType: "application/json"}); err != nil {
		return fmt.Errorf("write %s: %w", name, b.told(err))
	}
	return nil
}

func (b bucket) read(ctx context.Context, name string) ([]byte, error) {
	content, err := b.ReadAll(ctx, name)
	switch {
	case err == nil:
		return content, nil
	case gcerrors.Code(err) == gcerrors.NotFound:
		return nil, errMissing
	}
	return nil, fmt.Errorf("read %s: %w", name, b.told(err))
}

func (b bucket) list(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	page := b.List(&blob.ListOptions{Prefix: prefix, Delimiter: "/"})
	for {
		object, err := page.Next(ctx)
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", prefix, b.told(err))
		}
		names = append(names, strings.TrimPrefix(object.Key, prefix))
	}
}

func (b bucket) close() error { return b.Close() }

// createOnce creates an object and treats a name that is taken by the same content as success: the write took effect
// and only its reply was lost, or the same step ran twice.
func createOnce(ctx context.Context, place objects, name string, content []byte) error {
	err := place.create(ctx, name, content)
	if !errors.Is(err, errTaken) {
		return err
	}
	present, err := place.read(ctx, name)
	switch {
	case errors.Is(err, errMissing):
		// S3 answers so while another write of this name is still under way.
		return &ConflictError{Name: name}
	case err != nil:
		return err
	case !bytes.Equal(present, content):
		return &ConflictError{Name: name}
	}
	return nil
}
