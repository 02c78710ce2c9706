package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/worker"
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
	keys := []evidence.Signer{key}
	for _, older := range d.Config.JournalOlderKeysFrom {
		if err := d.mayAsk(isInAWS(older)); err != nil {
			results = append(results, notAsked("older journal key", string(older), err))
			continue
		}
		key, result := d.olderKey(ctx, string(older))
		results = append(results, result)
		keys = append(keys, key...)
	}
	return append(results, d.store(ctx, keys))
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
func (d *doctor) olderKey(ctx context.Context, from string) ([]evidence.Signer, Result) {
	keys, err := evidence.LoadOlderKeys(ctx, []string{from}, evidence.PlacesOf(d.config()))
	if err != nil {
		return nil, Result{
			"older journal key", from, Problem, reason(err),
			"put it back where journal_older_keys_from says; take it out of the list only if no wave that was signed with " +
				"it is to be rolled back or reconciled any more: a worker does not start without it",
		}
	}
	return keys, Result{Check: "older journal key", Where: from, State: OK, Says: "is there: " + keys[0].KeyID()}
}

// store looks at the evidence store, and whether it was signed with one of the keys, the present one first; without any
// that is not asked.
func (d *doctor) store(ctx context.Context, keys []evidence.Signer) Result {
	where, sdk := d.Config.Settings.Evidence, d.config()
	if err := d.mayAsk(!evidence.IsLocal(where)); err != nil {
		return notAsked("evidence", where, err)
	}
	options := evidence.Options{AWS: &sdk}
	if len(keys) > 0 {
		options.Signer, options.Older = keys[0], keys[1:]
	}
	store, err := evidence.Open(ctx, where, options)
	if err == nil {
		err = store.Probe(ctx, d.Now())
		if err == nil && len(keys) > 0 {
			err = store.CheckKey(ctx)
		}
		err = errors.Join(err, store.Close())
	}
	var otherKey *evidence.OtherKeyError
	if errors.As(err, &otherKey) {
		return Result{
			"evidence", where, Problem,
			fmt.Sprintf("it is signed with the key %s since %s, and the keys here are %s: a worker does not start so",
				otherKey.Theirs, otherKey.Since.UTC().Format(time.RFC3339), otherKey.Ours),
			"put the right key where journal_key_from says, or name the earlier one in journal_older_keys_from",
		}
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
		return Result{"evidence", where, Problem, "cannot be written and read: " + reason(err), worker.MendEvidence(where)}
	}
	return Result{Check: "evidence", Where: where, State: OK, Says: "can be written and read"}
}
