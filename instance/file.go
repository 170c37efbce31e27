package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// damaged is the error of a small file with invalid content.
func damaged(path string) error {
	return fmt.Errorf("%s is damaged, and fargo up writes it again", path)
}

// MachineFlags decodes the flags of the last SetMachineFlags into flags. Without one
// it leaves them as they are.
func (i *Instance) MachineFlags(flags any) error {
	path := i.path(machineFlagsFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, flags)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", damaged(path), err)
	}
	return nil
}

// SetMachineFlags writes flags as JSON, so that fargo down can remove what was made
// with them.
func (i *Instance) SetMachineFlags(flags any) error {
	b, err := json.Marshal(flags)
	if err != nil {
		return err
	}
	return writeFile(i.path(machineFlagsFile), b, 0o644)
}

// Endpoint is the URL last served; empty when up never became ready.
func (i *Instance) Endpoint() (string, error) {
	path := i.path(endpointFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	endpoint := strings.TrimSpace(string(b))
	if !endpointURL.MatchString(endpoint) {
		return "", damaged(path)
	}
	return endpoint, nil
}

// endpointURL matches an endpoint, which a shell is going to evaluate.
var endpointURL = regexp.MustCompile(`^https?://([0-9A-Za-z.-]+|\[[0-9A-Za-z.:%]+\]):[0-9]+$`)

// SetEndpoint writes the URL that is served.
func (i *Instance) SetEndpoint(url string) error {
	return writeFile(i.path(endpointFile), []byte(url+"\n"), 0o644)
}

// An AccessKey is a pair that signs requests.
type AccessKey struct {
	ID     string `json:"accessKeyId"`
	Secret string `json:"secretAccessKey"`
}

// AdminKey is the administrator's key, as up last wrote it.
func (i *Instance) AdminKey() (key AccessKey, err error) {
	path := i.path(adminKeyFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return AccessKey{}, err
	}
	if json.Unmarshal(b, &key) != nil || !keyID.MatchString(key.ID) || !keySecret.MatchString(key.Secret) {
		return AccessKey{}, damaged(path)
	}
	return key, nil
}

// The characters of keys. A shell is going to evaluate them.
var (
	keyID     = regexp.MustCompile(`^[A-Z0-9]+$`)
	keySecret = regexp.MustCompile(`^[A-Za-z0-9/+=]+$`)
)

// SetAdminKey writes the administrator's key for fargo env, where only the owner of
// the machine can read it.
func (i *Instance) SetAdminKey(key AccessKey) error {
	b, err := json.Marshal(key)
	if err != nil {
		return err
	}
	return writeFile(i.path(adminKeyFile), b, 0o600)
}

// SetCA writes a certificate in PEM to [Instance.CAFile].
func (i *Instance) SetCA(pem string) error {
	return writeFile(i.CAFile(), []byte(pem), 0o644)
}

// SetTrust writes certificates in PEM to [Instance.TrustFile]; without any it removes the
// file.
func (i *Instance) SetTrust(pem string) error {
	if pem != "" {
		return writeFile(i.TrustFile(), []byte(pem), 0o644)
	}
	if err := os.Remove(i.TrustFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writeFile replaces a file atomically: readers, and what is left after a crash, have
// the old or the new content. A file with that content already is not written, so
// that a start needs no space on the disk.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	if info, err := os.Lstat(path); err == nil && info.Mode() == mode && info.Size() == int64(len(content)) {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
			return nil
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails, as it should, once renamed
	defer f.Close()
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes durable that files were added to a directory or removed from it.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
