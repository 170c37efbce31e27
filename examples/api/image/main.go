// Command image makes the image of the example service without Docker, and
// pushes it to a registry or writes it to a file. The
// service's binary is built elsewhere.
//
// The same inputs make the same digest: no file in the image has a time.
//
//	go build -o build/api -ldflags "-X main.version=v1.3.0" ./examples/api
//	aws ecr get-login-password | go run ./examples/api/image -binary build/api -tag v1.3.0 -password-stdin
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func main() {
	log.SetFlags(0)
	var (
		binary     = flag.String("binary", "build/api", "the service, linked statically")
		busybox    = flag.String("busybox", "/bin/busybox", "the shell and its tools: busybox, linked statically (Debian's busybox-static)")
		tag        = flag.String("tag", "latest", "the image's tag")
		repository = flag.String("repository", "127.0.0.1:4566/myapp/api", "where to push the image")
		out        = flag.String("o", "", "write an OCI archive to this file instead of pushing")
		stdin      = flag.Bool("password-stdin", false, "read the registry's password from standard input; without, it is $ECR_PASSWORD or in docker's configuration")
	)
	flag.Parse()
	image, err := build(*binary, *busybox)
	switch {
	case err != nil:
	case *out != "":
		err = archive(*out, *repository+":"+*tag, image)
	default:
		err = push(*repository+":"+*tag, *stdin, image)
	}
	if err != nil {
		log.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s\n", cmp.Or(*out, *repository+":"+*tag), digest)
}

func push(to string, stdin bool, image v1.Image) error {
	ref, err := name.ParseReference(to)
	if err != nil {
		return err
	}
	login, err := credentials(stdin)
	if err != nil {
		return err
	}
	return remote.Write(ref, image, login)
}

// credentials are those for the registry: user AWS and the password that
// GetAuthorizationToken gives.
func credentials(stdin bool) (remote.Option, error) {
	password := os.Getenv("ECR_PASSWORD")
	if stdin {
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, fmt.Errorf("read the password: %w", err)
		}
		password = strings.TrimSpace(string(b))
	}
	if password == "" {
		return remote.WithAuthFromKeychain(authn.DefaultKeychain), nil
	}
	return remote.WithAuth(&authn.Basic{Username: "AWS", Password: password}), nil
}
