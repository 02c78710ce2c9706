package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
)

// evidence reads the journal's key and writes a document into the store.
func (d *doctor) evidence(ctx context.Context) []Result {
	from := string(d.Config.Settings.JournalKeyFrom)
	if err := d.mayAsk(isInAWS(d.Config.Settings.JournalKeyFrom)); err != nil {
		return []Result{notAsked("journal key", from, err), d.store(ctx, nil)}
	}
	key, err := evidence.LoadKey(ctx, from, evidence.PlacesOf(d.config()))
	if err != nil {
		results := []Result{{
			"journal key", from, Problem, reason(err),
			"make one once, and keep it: `openssl rand -base64 48`; put it where journal_key_from says, the same for every " +
				"worker",
		}}
		return append(results, d.store(ctx, nil))
	}
	results := []Result{{Check: "journal key", Where: from, State: OK, Says: "is there: " + key.KeyID()}}
	for _, older := range d.Config.JournalOlderKeysFrom {
		if err := d.mayAsk(isInAWS(older)); err != nil {
			results = append(results, notAsked("older journal key", string(older), err))
			continue
		}
		results = append(results, d.olderKey(ctx, string(older)))
	}
	return append(results, d.store(ctx, key))
}

// isInAWS reports whether a key is read from, or kept by, a service of AWS.
func isInAWS(key config.Source) bool { return key.Kind() == "ssm" || key.Kind() == "kms" }

// mayAsk is nil for what is not in AWS, and where AWS answers the worker's credentials.
func (d *doctor) mayAsk(inAWS bool) error {
	if !inAWS {
		return nil
	}
	_, err := d.identity()
	return err
}

// olderKey reads an earlier key, which proves what was signed before.
func (d *doctor) olderKey(ctx context.Context, from string) Result {
	keys, err := evidence.LoadOlderKeys(ctx, []string{from}, evidence.PlacesOf(d.config()))
	if err != nil {
		return Result{
			"older journal key", from, Problem, reason(err),
			"put it back where journal_older_keys_from says; take it out of the list only if no wave that was signed with " +
				"it is to be rolled back or reconciled any more: a worker does not start without it",
		}
	}
	return Result{Check: "older journal key", Where: from, State: OK, Says: "is there: " + keys[0].KeyID()}
}

func (d *doctor) store(ctx context.Context, key evidence.Signer) (result Result) {
	where, sdk := d.Config.Settings.Evidence, d.config()
	if err := d.mayAsk(!evidence.IsLocal(where)); err != nil {
		return notAsked("evidence", where, err)
	}
	store, err := evidence.Open(ctx, where, evidence.Options{AWS: &sdk, Signer: key})
	if err == nil {
		err = errors.Join(store.Probe(ctx, d.Now()), store.Close())
	}
	var elsewhere *evidence.OtherRegionError
	if errors.As(err, &elsewhere) {
		return Result{
			"evidence", where, Problem,
			fmt.Sprintf("the bucket is in %s, and S3 is asked for it in %s", elsewhere.Is, elsewhere.Asked),
			fmt.Sprintf("set AWS_REGION=%s for the worker and for whoever reads the evidence, or name a bucket of %s",
				elsewhere.Is, elsewhere.Asked),
		}
	}
	if err != nil {
		mend := "let whoever runs the worker write into the folder, or name another under evidence:"
		if !evidence.IsLocal(where) {
			mend = "make the bucket, and let the worker's own role do s3:PutObject, s3:GetObject and s3:ListBucket there; " +
				"where it encrypts by a key of KMS, also kms:GenerateDataKey and kms:Decrypt on that key"
		}
		return Result{"evidence", where, Problem, "cannot be written and read: " + reason(err), mend}
	}
	return Result{Check: "evidence", Where: where, State: OK, Says: "can be written and read"}
}
