package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/evidence"
	shown "github.com/patchtide/patchtide/internal/plain"
)

func newEvidence() *cobra.Command {
	return parent("evidence", "Look at what waves left in the evidence store", newEvidenceVerify())
}

func newEvidenceVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [WAVE]",
		Short: "Prove that what waves left is as it was written",
		Example: `patchtide evidence verify
patchtide evidence verify wave-web-20261122-082540`,
		Long: "Prove that what waves left in the evidence store is as it was written: of one wave, or of all. Every " +
			"version of a wave's document and of its journal's records must be signed with a journal key that the " +
			"configuration names, stand where it was written, and follow the version before it.\n\n" +
			"Run it with a worker's configuration and its permission to read the store. It changes nothing, and asks " +
			"neither Temporal nor the accounts. That the newest versions were deleted it cannot see.\n\n" +
			"Exit code 1 where anything is found, 2 where the configuration is wrong.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := loadWorkerConfig(cmd)
			if err != nil {
				return err
			}
			aws, err := awsConfig(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			store, err := openEvidence(cmd.Context(), loaded, aws)
			if err != nil {
				return err
			}
			defer store.Close() //nolint:errcheck // nothing was written
			wave := ""
			if len(args) > 0 {
				wave = args[0]
			}
			found, err := store.Verify(cmd.Context(), wave)
			if err != nil {
				return err
			}
			err = show(cmd, *found, printVerified)
			if err == nil && len(found.Findings) > 0 {
				err = &exitError{code: exitFailed}
			}
			return err
		},
	}
	printsJSON(cmd)
	return cmd
}

// printVerified writes what is wrong, an object a line, and what to do.
func printVerified(out io.Writer, found evidence.Verified) error {
	for _, finding := range found.Findings {
		line(out, "wrong  %s %s", finding.Object, finding.Problem)
	}
	said := "all are as they were written"
	if len(found.Findings) > 0 {
		said = fmt.Sprintf("%d are wrong: find out who may write to the store, and put them back from a copy of your own "+
			"(an earlier version of the object, where the bucket keeps versions)", len(found.Findings))
	}
	counted := shown.Plural(found.Waves, "wave")
	if found.Others > 0 {
		counted += ", " + shown.Plural(found.Others, "other document") + " (what is frozen, or what groups left)"
	}
	line(out, "%s, %s, %s, %s: %s", counted, shown.Plural(found.Documents, "version")+" of their documents",
		shown.Plural(found.Instances, "document")+" of instances",
		shown.Plural(found.Records, "version")+" of journal records", said)
	return nil
}
