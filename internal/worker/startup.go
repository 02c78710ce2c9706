package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	paws "github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/evidence"
)

const (
	lookFor      = 15 * time.Second // one look at what a worker needs may take
	firstPause   = 10 * time.Second // before what is not there is looked at again; it doubles
	longestPause = 5 * time.Minute
)

// need is something without which all of a worker's work fails.
type need struct {
	what string // completes "... does not serve this worker"
	look func(ctx context.Context) error
	mend func(err error) string
}

// needs are looked at when a worker starts.
func (o Options) needs() []need {
	return []need{
		{"AWS", func(ctx context.Context) error { return askAWS(ctx, o) }, MendAWS},
		{
			"the evidence store", func(ctx context.Context) error { return o.Evidence.BeginSigning(ctx, time.Now()) },
			func(error) string { return MendEvidence(o.Config.Settings.Evidence) },
		},
	}
}

// askAWS asks AWS who this worker is, which needs no permission.
func askAWS(ctx context.Context, o Options) error {
	config := o.AWS.Copy()
	config.HTTPClient = o.HTTP
	if config.Region == "" {
		config.Region = o.Config.Accounts[0].Regions[0] // STS answers everywhere
	}
	_, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

// MendAWS is what to do where AWS does not answer the worker's own credentials.
func MendAWS(err error) string {
	if paws.Unreachable(err) != "" {
		return "see this machine's network, names (DNS) and proxy (HTTPS_PROXY, NO_PROXY), and AWS_ENDPOINT_URL where " +
			"it is set"
	}
	return "give this machine an instance or task role, or for a try `aws sso login` and AWS_PROFILE; no long-lived " +
		"keys are needed"
}

// MendEvidence is what to do where the evidence store cannot be read or written.
func MendEvidence(location string) string {
	if evidence.IsLocal(location) {
		return "let whoever runs the worker write into the folder, or name another under evidence:"
	}
	return "make the bucket, and let the worker's own role do s3:PutObject, s3:GetObject and s3:ListBucket there; where " +
		"it encrypts by a key of KMS, also kms:GenerateDataKey and kms:Decrypt on that key"
}

// lookAtNeeds looks at each once. What no wait mends, a journal key that the evidence store does not know, is an error.
// The rest may pass: it is logged, and returned to be looked at again.
func lookAtNeeds(ctx context.Context, logger *slog.Logger, needs []need) (missing []need, err error) {
	for _, each := range needs {
		err := each.try(ctx)
		var otherKey *evidence.OtherKeyError
		switch {
		case errors.As(err, &otherKey):
			return nil, otherKey
		case err != nil:
			each.warn(logger, err)
			missing = append(missing, each)
		}
	}
	return missing, nil
}

func (n need) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	return n.look(ctx)
}

func (n need) warn(logger *slog.Logger, err error) {
	why := paws.Unreachable(err)
	if why == "" {
		why = err.Error()
	}
	logger.Warn(n.what+" does not serve this worker: what needs it fails until it does", "error", why, "todo", n.mend(err))
}

// await looks at it again and again until it is there or ctx ends. An evidence store that turns out to be signed with a
// key that is not known here is told as an error: nothing that it holds is believed.
func (n need) await(ctx context.Context, logger *slog.Logger) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		err := n.try(ctx)
		var otherKey *evidence.OtherKeyError
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			logger.Info(n.what + " serves this worker now")
			return
		case errors.As(err, &otherKey):
			logger.Error("nothing can be put back, and no wave begun, with this journal key: stop this worker", "error", err)
			return
		}
		n.warn(logger, err)
	}
}

// WhileUnreachable gets what a worker cannot start without, such as its journal's key, and tries again for as long as
// AWS cannot be reached; another error is returned at once. what names it in the log.
func WhileUnreachable[T any](
	ctx context.Context, logger *slog.Logger, what string, get func() (T, error),
) (T, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		value, err := get()
		why := paws.Unreachable(err)
		if why == "" {
			return value, err
		}
		logger.Warn(what+" cannot be read: AWS cannot be reached from here. The worker starts once it can",
			"error", why, "todo", MendAWS(err), "again_in", pause)
		select {
		case <-ctx.Done():
			return value, fmt.Errorf("%s: %w", what, err)
		case <-time.After(pause):
		}
	}
}
