// Command diagram draws a picture from its text: it reads Graphviz's language from
// its standard input and writes SVG to its standard output, with the SHA-256 of the
// text in it. Graphviz comes compiled to WebAssembly, so that every machine draws the
// same.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-graphviz"
)

func main() {
	if err := draw(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "diagram:", err)
		os.Exit(1)
	}
}

func draw(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	g, err := graphviz.New(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	graph, err := graphviz.ParseBytes(text)
	if err != nil {
		return err
	}
	var svg bytes.Buffer
	if err := g.Render(ctx, graph, graphviz.SVG, &svg); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s<!-- Written by make generate. The text's SHA-256: %x -->\n", svg.Bytes(), sha256.Sum256(text))
	return err
}
