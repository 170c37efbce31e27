//go:build e2e && chaos

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// imageAttacks are malicious images.
var imageAttacks = []attack{
	{name: "run an image whose users are a device", run: func(c *chaos) {
		c.runImage("device", func(w *tar.Writer) error {
			return w.WriteHeader(&tar.Header{Name: "etc/passwd", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5, Mode: 0o666})
		})
	}},
	{name: "run an image whose users are a FIFO", run: func(c *chaos) {
		c.runImage("fifo", func(w *tar.Writer) error {
			return w.WriteHeader(&tar.Header{Name: "etc/passwd", Typeflag: tar.TypeFifo, Mode: 0o666})
		})
	}},
	{name: "run an image whose users are a large file", run: func(c *chaos) {
		c.runImage("large", func(w *tar.Writer) error { return writeZeros(w, "etc/passwd", 300<<20) })
	}},
	{name: "run an image whose users are a link to the machine's", run: func(c *chaos) {
		c.runImage("link", func(w *tar.Writer) error {
			return w.WriteHeader(&tar.Header{Name: "etc/passwd", Typeflag: tar.TypeSymlink, Linkname: "../../../../../../proc/self/environ"})
		})
	}},
}

func writeZeros(w *tar.Writer, name string, size int64) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: size, Mode: 0o644}); err != nil {
		return err
	}
	_, err := io.CopyN(w, zeros{}, size)
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// runImage pushes an image of one layer and runs a task of it, as a user that the
// image should know. The task ends and says why; the node has no more memory
// than before.
func (c *chaos) runImage(tag string, layer func(*tar.Writer) error) {
	ctx := context.Background()
	c.push(tag, layer)
	family := "hostile-" + tag
	_, err := c.user.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeAwsvpc, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		Cpu: aws.String("256"), Memory: aws.String("512"),
		ExecutionRoleArn: aws.String("arn:aws:iam::123456789012:role/ecsTaskExecutionRole"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("hostile"), Image: aws.String("123456789012.dkr.ecr.us-east-1.amazonaws.com/myapp/api:" + tag),
			User: aws.String("somebody"), Command: []string{"/nothing"},
		}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.grown("node", 50<<20, func() {
		input := c.user.taskInput(fmt.Sprintf("hostile%d", c.rng.Uint32()))
		input.TaskDefinition = &family
		out, err := c.user.ecs.RunTask(ctx, input)
		if err != nil || len(out.Tasks) != 1 {
			c.t.Fatal(out, err)
		}
		c.wait(func() error {
			out, err := c.user.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: input.Cluster, Tasks: []string{*out.Tasks[0].TaskArn}})
			if err != nil {
				return err
			}
			if status := *out.Tasks[0].LastStatus; status != "STOPPED" {
				return fmt.Errorf("the task is %s", status)
			}
			c.note("%s", aws.ToString(out.Tasks[0].StoppedReason))
			return nil
		})
	})
}

// push makes an image of one layer and pushes it to the registry.
func (c *chaos) push(tag string, layer func(*tar.Writer) error) {
	c.t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	w := tar.NewWriter(z)
	if err := layer(w); err != nil {
		c.t.Fatal(err)
	}
	w.Close()
	z.Close()
	built, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil })
	if err != nil {
		c.t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, built)
	if err == nil {
		image, err = mutate.ConfigFile(image, configOf(image))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	registry := strings.TrimPrefix(c.in.url, "http://")
	to, err := name.ParseReference(registry+"/myapp/api:"+tag, name.Insecure)
	if err != nil {
		c.t.Fatal(err)
	}
	password := c.shell("aws ecr get-login-password")
	if err := remote.Write(to, image, remote.WithAuth(&authn.Basic{Username: "AWS", Password: password})); err != nil {
		c.t.Fatal(err)
	}
}

// configOf is the image's configuration, of a machine like this one.
func configOf(image v1.Image) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		return &v1.ConfigFile{}
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	return config
}
