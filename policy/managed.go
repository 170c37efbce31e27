package policy

import (
	"embed"
	"io/fs"
	"strings"
)

// managed has the AWS managed policies that users of ECS attach, each under its
// path and name.
//
//go:embed managed
var managed embed.FS

// Managed gives the documents of the AWS managed policies that Fargo has, by
// ARN. Those of services that Fargo has nothing of are not among them.
// Source: AWS managed policy reference guide.
func Managed() map[string]string {
	all := map[string]string{}
	err := fs.WalkDir(managed, "managed", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		document, err := managed.ReadFile(path)
		name := strings.TrimSuffix(strings.TrimPrefix(path, "managed/"), ".json")
		all["arn:aws:iam::aws:policy/"+name] = string(document)
		return err
	})
	if err != nil {
		panic(err) // what is embedded can be read
	}
	return all
}
