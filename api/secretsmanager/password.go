package secretsmanager

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"

	"fargo/aws"
	"fargo/aws/secretsmanager"
)

// defaultPassword is how long a password is.
// Source: Secrets Manager API, GetRandomPassword.
const defaultPassword = 32

// The types of characters that passwords have.
// Source: Secrets Manager API, GetRandomPassword.
const (
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	numbers     = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// GetRandomPassword makes a password of all types of characters that are not excluded.
func (s *Server) GetRandomPassword(_ context.Context, in *secretsmanager.GetRandomPasswordInput) (*secretsmanager.GetRandomPasswordOutput, error) {
	types := passwordTypes(in)
	length := int(aws.ValueOr(in.PasswordLength, defaultPassword))
	each := aws.ValueOr(in.RequireEachIncludedType, true)
	switch {
	case len(types) == 0:
		return nil, invalid("The password has no characters left that it may have.")
	case each && length < len(types):
		return nil, invalid("Password length is too short based on the required types.")
	}
	return &secretsmanager.GetRandomPasswordOutput{RandomPassword: new(randomPassword(types, length, each))}, nil
}

// passwordTypes are the types of characters that a password may have, each without the
// characters that are excluded. A type of which nothing is left is none.
func passwordTypes(in *secretsmanager.GetRandomPasswordInput) (types []string) {
	for _, t := range []struct {
		characters string
		excluded   bool
	}{
		{uppercase, aws.Value(in.ExcludeUppercase)},
		{lowercase, aws.Value(in.ExcludeLowercase)},
		{numbers, aws.Value(in.ExcludeNumbers)},
		{punctuation, aws.Value(in.ExcludePunctuation)},
		{" ", !aws.Value(in.IncludeSpace)},
	} {
		left := strings.Map(func(c rune) rune {
			if strings.ContainsRune(aws.Value(in.ExcludeCharacters), c) {
				return -1
			}
			return c
		}, t.characters)
		if !t.excluded && left != "" {
			types = append(types, left)
		}
	}
	return types
}

// randomPassword has one of each type, if that is wanted, and is any of all types
// otherwise, in any order.
func randomPassword(types []string, length int, each bool) string {
	all := strings.Join(types, "")
	password := make([]byte, length)
	for i := range password {
		from := all
		if each && i < len(types) {
			from = types[i]
		}
		password[i] = from[below(len(from))]
	}
	for i := len(password) - 1; i > 0; i-- {
		j := below(i + 1)
		password[i], password[j] = password[j], password[i]
	}
	return string(password)
}

// below is a random number that is less than n.
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // the system's randomness never fails: see crypto/rand
	}
	return int(i.Int64())
}
