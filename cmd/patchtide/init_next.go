package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/names"
)

// nextSteps is what to do once the file is there.
func nextSteps(keyFrom string) string {
	steps := []string{"read the file, and change what is not so"}
	if step := keyStep(config.Source(keyFrom)); step != "" {
		steps = append(steps, step)
	}
	steps = append(steps, "`patchtide check`", "on the worker's machine: `patchtide doctor`, then `patchtide worker`")
	var text strings.Builder
	text.WriteString("Next:\n")
	for i, step := range steps {
		fmt.Fprintf(&text, "  %d. %s\n", i+1, step)
	}
	return text.String()
}

// keyStep makes the journal's key; "" where it is there already.
func keyStep(from config.Source) string {
	const what = "make the key that signs the journal, once, and keep it: every worker needs the same"
	switch from.Kind() {
	case "file":
		if _, err := os.Stat(from.Name()); err == nil {
			return ""
		}
		return fmt.Sprintf("%s\n       (umask 077; openssl rand -base64 48 > %s)", what, names.ShellWord(from.Name()))
	case "ssm":
		return fmt.Sprintf("%s\n       aws ssm put-parameter --type SecureString --name %s "+
			"--value \"$(openssl rand -base64 48)\"", what, names.ShellWord(from.Name()))
	case "kms":
		return fmt.Sprintf("see that %s is a key of KMS for HMAC_256 (`aws kms create-key --key-spec HMAC_256 --key-usage "+
			"GENERATE_VERIFY_MAC`): it signs the journal", from.Name())
	}
	return ""
}
