package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"fargo/instance"
	"fargo/store"
	"fargo/store/disk"
)

// keyFlag is the flag that says where the key is that secrets are sealed with, in the
// place of the data directory.
type keyFlag struct {
	KeyFile string `help:"The file with the key that secrets are sealed with, 32 bytes, which is made if need be (secrets.key in the data directory). FARGO_KEY in the environment may have the key itself, in base64." placeholder:"PATH"`
}

// keyVariable is the environment variable that has the key itself.
const keyVariable = "FARGO_KEY"

// key is the key of an instance's secrets. What the environment has of it is taken away, so
// that no process that is started gets it.
func (f *keyFlag) key(inst *instance.Instance, log *slog.Logger) (disk.Key, error) {
	text, given := os.LookupEnv(keyVariable)
	if err := os.Unsetenv(keyVariable); err != nil {
		return disk.Key{}, err
	}
	own := inst.SecretsKeyFile()
	if !given && (f.KeyFile == "" || f.KeyFile == own) {
		return disk.KeyIn(own), nil
	}
	if given && f.KeyFile != "" {
		return disk.Key{}, errors.New("--key-file and " + keyVariable + " are both given: one says where the key is")
	}
	if _, err := os.Stat(own); err == nil {
		log.Warn("the key in the data directory is not in use any more; remove it, so that nobody has it who has a copy of the directory", "file", own)
	}
	if !given {
		return disk.KeyIn(f.KeyFile), nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != len(store.Key{}) {
		return disk.Key{}, fmt.Errorf("%s is not a key: it must be %d bytes in base64", keyVariable, len(store.Key{}))
	}
	return disk.Key{Value: new(store.Key(b)), Name: keyVariable}, nil
}
