package shapes

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// module holds the descriptions. Its version and checksum are in tools/go.mod and tools/go.sum.
const module = "github.com/aws/aws-sdk-go"

// Default opens the descriptions in Go's module cache, and downloads the module there when it is missing. It works in
// any folder of this repository.
var Default = sync.OnceValues(func() (*Models, error) {
	root, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("find this module: %w", said(err))
	}
	tools := filepath.Join(filepath.Dir(strings.TrimSpace(string(root))), "tools")
	out, err := exec.Command("go", "-C", tools, "mod", "download", "-json", module).Output()
	var found struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &found); err == nil {
		err = jsonErr
	}
	if err != nil || found.Error != "" {
		return nil, fmt.Errorf("fetch %s, which holds AWS's API descriptions (try: go -C tools mod download %s): %w",
			module, module, errors.Join(said(err), errors.New(found.Error)))
	}
	return Open(found.Dir)
})

// said adds what a command wrote on its standard error.
func said(err error) error {
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(failed.Stderr)))
	}
	return err
}
