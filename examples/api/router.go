package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/tinylib/msgp/msgp"
)

// section is a part of Fluent Bit's configuration in its classic mode.
// Source: Fluent Bit's manual, "Format and Schema".
type section struct {
	kind    string
	options map[string][]string // by their names in lower case
}

func (s *section) option(name string) string {
	return strings.Join(s.options[name], " ")
}

// matches reports whether records with a tag are for a section. Of patterns there is what
// ends with a star, and what has none.
func (s *section) matches(tag string) bool {
	match := s.option("match")
	if prefix, ok := strings.CutSuffix(match, "*"); ok {
		return strings.HasPrefix(tag, prefix)
	}
	return match == tag
}

// router is a log router for lessons: it reads the configuration of Fluent Bit that ECS
// makes for FireLens, and writes the records to its own output.
type router struct {
	sections []section
	mu       sync.Mutex
	out      io.Writer
}

// readConfig reads a configuration, with the files that it includes.
func (r *router) readConfig(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		name, value, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case name == "@INCLUDE":
			if err := r.readConfig(value); err != nil {
				return err
			}
		case line[0] == '[':
			r.sections = append(r.sections, section{kind: strings.Trim(line, "[]"), options: map[string][]string{}})
		case len(r.sections) == 0:
			return fmt.Errorf("%s: %q is in no section", path, line)
		default:
			options := r.sections[len(r.sections)-1].options
			options[strings.ToLower(name)] = append(options[strings.ToLower(name)], os.ExpandEnv(strings.TrimSpace(value)))
		}
	}
	return lines.Err()
}

// run listens at every input of the kind forward until ctx ends.
func (r *router) run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	for _, s := range r.sections {
		if s.kind != "INPUT" || s.option("name") != "forward" {
			continue
		}
		network, address := "tcp", net.JoinHostPort(s.option("listen"), s.option("port"))
		if path := s.option("unix_path"); path != "" {
			network, address = "unix", path
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		l, err := net.Listen(network, address)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { l.Close() })
		all.Go(func() { r.serve(ctx, &all, l) })
	}
	<-ctx.Done()
	return nil
}

func (r *router) serve(ctx context.Context, all *sync.WaitGroup, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		closed := context.AfterFunc(ctx, func() { c.Close() })
		all.Go(func() {
			defer closed()
			defer c.Close()
			if err := r.read(c); !errors.Is(err, io.EOF) && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "router:", err)
			}
		})
	}
}

// read reads messages until it cannot: of the forms that the protocol has, the one with a single record.
// Source: github.com/fluent/fluentd, "Forward Protocol Specification v1", Message Modes.
func (r *router) read(c io.Reader) error {
	messages := msgp.NewReader(c)
	for {
		value, err := messages.ReadIntf()
		if err != nil {
			return err
		}
		message, _ := value.([]any)
		if len(message) < 3 {
			return fmt.Errorf("not a message: %v", value)
		}
		tag, isTag := message[0].(string)
		record, isRecord := message[2].(map[string]any)
		if !isTag || !isRecord {
			return fmt.Errorf("not a message: %v", value)
		}
		if err := r.route(tag, record); err != nil {
			return err
		}
	}
}

// route takes a record through the filters, and writes it once for each output of the
// kind stdout, with that output's own options.
func (r *router) route(tag string, record map[string]any) error {
	for _, s := range r.sections {
		switch {
		case !s.matches(tag):
		case s.kind == "FILTER" && s.option("name") == "grep":
			if keeps, err := s.keeps(record); !keeps || err != nil {
				return err
			}
		case s.kind == "FILTER" && s.option("name") == "record_modifier":
			for _, added := range s.options["record"] {
				name, value, _ := strings.Cut(added, " ")
				record[name] = value
			}
		case s.kind == "OUTPUT" && s.option("name") == "stdout":
			if err := r.write(tag, record, &s); err != nil {
				return err
			}
		}
	}
	return nil
}

// keeps reports whether a filter of the kind grep lets a record pass.
func (s *section) keeps(record map[string]any) (bool, error) {
	for rule, wanted := range map[string]bool{"regex": true, "exclude": false} {
		if s.option(rule) == "" {
			continue
		}
		name, pattern, _ := strings.Cut(s.option(rule), " ")
		found, err := regexp.MatchString(pattern, fmt.Sprint(record[name]))
		if err != nil || found != wanted {
			return false, err
		}
	}
	return true, nil
}

func (r *router) write(tag string, record map[string]any, output *section) error {
	all := maps.Clone(record)
	all["tag"] = tag
	for name := range output.options {
		if name != "name" && name != "match" {
			all["output_"+name] = output.option(name)
		}
	}
	line, err := json.Marshal(all)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.out.Write(append(line, '\n'))
	return err
}
