package evidence

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/blob/s3blob"
)

// Options say how a store reaches its place.
type Options struct {
	// Signer signs and checks journal records; without one the journal can be neither written nor read.
	Signer Signer
	// Older are earlier keys, which prove what was signed before the present one took their place.
	Older []Signer
	// AWS is the configuration that an s3:// place uses. Nil: the SDK's default chain.
	AWS *aws.Config
}

// Open opens the store at a location:
//
//	/var/lib/patchtide/evidence   a local folder, made when missing; so is "evidence" or "./evidence"
//	file:///var/lib/patchtide     the same as a URL
//	s3://bucket/prefix            a bucket; the prefix may be empty
//	mem://                        memory, gone when the store is closed: for tests
//
// Whether a local folder is allowed (it needs `single_worker: true`) is for the configuration to say; IsLocal tells it
// apart. Open of an S3 location sends nothing: the first read or write shows whether the bucket is there.
func Open(ctx context.Context, location string, options Options) (*Store, error) {
	place, err := open(ctx, location, options)
	if err != nil {
		return nil, fmt.Errorf("evidence: %s: %w", redacted(location), err)
	}
	return &Store{place: place, where: strings.TrimRight(location, "/"), signer: options.Signer, older: options.Older}, nil
}

// IsLocal reports whether a location is a folder or memory of this machine, which a second worker on another machine
// would not see.
func IsLocal(location string) bool { return !strings.HasPrefix(location, "s3://") }

const example = `write it like "./evidence", "file:///var/lib/patchtide/evidence" or "s3://bucket/prefix"`

func open(ctx context.Context, location string, options Options) (objects, error) {
	scheme, _, isURL := strings.Cut(location, "://")
	if !isURL {
		if location == "" {
			return nil, fmt.Errorf("no location; %s", example)
		}
		return openFolder(location)
	}
	// A parse error would repeat the location, and with it whatever somebody put there as a password.
	parsed, err := url.Parse(location)
	if err != nil || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, fmt.Errorf("not a plain URL (no user, password, query or fragment); %s", example)
	}
	switch scheme {
	case "file":
		if parsed.Host != "" || parsed.Path == "" {
			return nil, fmt.Errorf("a file URL has three slashes and an absolute path; %s", example)
		}
		return openFolder(parsed.Path)
	case "mem":
		return bucket{Bucket: memblob.OpenBucket(nil)}, nil
	case "s3":
		return openS3(ctx, parsed.Host, parsed.Path, options.AWS)
	}
	return nil, fmt.Errorf("%q is not a kind of place; %s", scheme, example)
}

func openS3(ctx context.Context, name, prefix string, awsConfig *aws.Config) (objects, error) {
	if name == "" {
		return nil, fmt.Errorf("no bucket; %s", example)
	}
	if awsConfig == nil {
		loaded, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("load the AWS configuration: %w", err)
		}
		awsConfig = &loaded
	}
	client := s3.NewFromConfig(*awsConfig, func(o *s3.Options) {
		// Behind an endpoint of somebody's own (AWS_ENDPOINT_URL: a laboratory, a VPC endpoint) bucket names are rarely
		// host names, and AWS's endpoints still take paths.
		o.UsePathStyle = o.UsePathStyle || o.BaseEndpoint != nil
	})
	opened, err := s3blob.OpenBucket(ctx, client, name, nil)
	if err != nil {
		return nil, fmt.Errorf("open the bucket: %w", err)
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		opened = blob.PrefixedBucket(opened, prefix+"/")
	}
	return bucket{Bucket: opened, name: name, region: awsConfig.Region}, nil
}

// redacted cuts what may hold a secret off a location that goes into an error.
func redacted(location string) string {
	scheme, rest, isURL := strings.Cut(location, "://")
	if !isURL {
		return location
	}
	rest, _, _ = strings.Cut(rest, "?")
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = rest[at+1:]
	}
	return scheme + "://" + rest
}
