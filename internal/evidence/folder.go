package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gocloud.dev/blob/fileblob"
)

// folder is a local directory. It reads and lists through gocloud.dev and writes by itself, because the driver neither
// creates atomically nor syncs, and a journal must be on the disk before what it announces is done.
type folder struct {
	bucket
	root string
}

// openFolder opens a directory and makes it, readable by its owner only, when it is missing.
func openFolder(root string) (objects, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("find the folder %s: %w", root, err)
	}
	if err := os.MkdirAll(filepath.Join(absolute, writing), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	b, err := fileblob.OpenBucket(absolute, &fileblob.Options{Metadata: fileblob.MetadataDontWrite, NoTempDir: true})
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	return folder{bucket: bucket{Bucket: b}, root: absolute}, nil
}

func (f folder) create(ctx context.Context, name string, content []byte) error {
	return f.place(ctx, name, content, func(temporary, final string) error {
		// A link fails when the name exists, on every POSIX file system, whoever else is trying.
		err := os.Link(temporary, final)
		if errors.Is(err, fs.ErrExist) {
			return errTaken
		}
		return err
	})
}

func (f folder) replace(ctx context.Context, name string, content []byte) error {
	return f.place(ctx, name, content, os.Rename)
}

// writing holds unfinished files: on the same file system as the others, but where no listing comes across them.
const writing = ".writing"

// place writes a temporary file, syncs it, lets move give it its name and syncs the directory.
func (f folder) place(
	ctx context.Context, name string, content []byte, move func(temporary, final string) error,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	final := filepath.Join(f.root, filepath.FromSlash(name))
	directory := filepath.Dir(final)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return fmt.Errorf("make the folder of %s: %w", name, err)
	}
	temporary, err := os.CreateTemp(filepath.Join(f.root, writing), "*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	// After a rename there is nothing left to remove, and after a link only the second name goes.
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(content)
	if err == nil {
		err = temporary.Sync()
	}
	if err := errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := move(temporary.Name(), final); err != nil {
		if errors.Is(err, errTaken) {
			return errTaken
		}
		return fmt.Errorf("write %s: %w", name, err)
	}
	return f.syncUp(directory)
}

// syncUp makes new names survive a crash of the machine: the directory's own and those of its parents up to the root.
func (f folder) syncUp(directory string) error {
	for {
		handle, err := os.Open(directory)
		if err != nil {
			return fmt.Errorf("sync the folder: %w", err)
		}
		if err := errors.Join(handle.Sync(), handle.Close()); err != nil {
			return fmt.Errorf("sync the folder %s: %w", directory, err)
		}
		if directory == f.root || len(directory) <= len(f.root) {
			return nil
		}
		directory = filepath.Dir(directory)
	}
}
