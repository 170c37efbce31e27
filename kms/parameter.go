package kms

import (
	"encoding/base64"
	"fmt"

	"fargo/aws/ssm"
	"fargo/record"
	"fargo/store"
)

// Parameter is the value of a parameter's version in clear. That of a SecureString is
// decrypted; the errors are KMS's.
func Parameter(r store.Reader, v *record.ParameterVersion) (string, error) {
	if v.Type != ssm.ParameterTypeSecureString {
		return v.Value, nil
	}
	blob, err := base64.StdEncoding.DecodeString(v.Value)
	if err != nil {
		return "", fmt.Errorf("decrypt the parameter %s: %w", v.Name, err)
	}
	d, err := Decrypt(r, v.Scope, blob, parameterContext(v))
	if err != nil {
		return "", err
	}
	return string(d.Plaintext), nil
}

// EncryptParameter gives a version of a SecureString its value, encrypted with a key.
// The errors are KMS's.
func EncryptParameter(r store.Reader, k *record.KMSKey, v *record.ParameterVersion, value string) error {
	blob, err := Encrypt(r, k, []byte(value), parameterContext(v))
	if err != nil {
		return err
	}
	v.Value = base64.StdEncoding.EncodeToString(blob)
	return nil
}

// parameterContext is the encryption context of a parameter.
// Source: Systems Manager user guide, "AWS KMS encryption for SecureString parameters".
func parameterContext(v *record.ParameterVersion) map[string]string {
	return map[string]string{"PARAMETER_ARN": record.ParameterARN(v.Scope, v.Name)}
}
