package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// licenseFile is a file of a module with its licence or notice.
type licenseFile struct {
	name   string // below the module's directory
	spdx   string // "Apache-2.0"; "notice" for what is to be passed on with a licence
	digest string // the beginning of the text's SHA-256
	text   string
}

var (
	licenseName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense|notice|patents)([._-].*)?$`)
	// noticeName matches those of them that are no licences of their own.
	noticeName = regexp.MustCompile(`(?i)^(notice|patents)`)
	notText    = regexp.MustCompile(`(?i)\.(go|csv|json|ya?ml)$`)
)

// licensesIn reads the licence files of one directory of the module below top.
func licensesIn(top, dir string) ([]licenseFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []licenseFile
	for _, entry := range entries {
		if entry.IsDir() || !licenseName.MatchString(entry.Name()) || notText.MatchString(entry.Name()) {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		name, err := filepath.Rel(top, path)
		if err != nil {
			return nil, err
		}
		f, err := readLicense(path, filepath.ToSlash(name))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func readLicense(path, name string) (licenseFile, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return licenseFile{}, err
	}
	sum := sha256.Sum256(b)
	f := licenseFile{name: name, spdx: spdx(string(b)), digest: hex.EncodeToString(sum[:6]), text: string(b)}
	if f.spdx == "" && noticeName.MatchString(filepath.Base(name)) {
		f.spdx = "notice"
	}
	if f.spdx == "" {
		return licenseFile{}, fmt.Errorf("%s: not a licence that is known here", path)
	}
	return f, nil
}

// phrases are those that only one licence's text has, by the licence's SPDX identifier.
// Source: the texts at https://spdx.org/licenses.
var phrases = []struct{ spdx, phrase string }{
	{"Apache-2.0", "apache license version 2.0, january 2004"},
	{"MPL-2.0", "mozilla public license, version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose"},
	{"CC-BY-SA-4.0", "creative commons attribution-sharealike 4.0"},
	{"Unlicense", "free and unencumbered software released into the public domain"},
	{"Zlib", "this software is provided 'as-is', without any express or implied warranty"},
}

// spdx guesses of which licences a text is; "" when of none that is known.
func spdx(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	var found []string
	for _, p := range phrases {
		if strings.Contains(text, p.phrase) {
			found = append(found, p.spdx)
		}
	}
	if strings.Contains(text, "redistribution and use in source and binary forms") {
		if strings.Contains(text, "endorse or promote") {
			found = append(found, "BSD-3-Clause")
		} else {
			found = append(found, "BSD-2-Clause")
		}
	}
	return strings.Join(found, " AND ")
}
