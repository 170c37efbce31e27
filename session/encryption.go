package session

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// Encryption is how the agent's end gets at the data key that the client had made.
type Encryption struct {
	// KeyID is the KMS key that the client is told to use.
	KeyID string
	// Decrypt is KMS's, by the task's role: the 64 bytes of the data key.
	Decrypt func(ctx context.Context, ciphertext []byte, encryptionContext map[string]string) ([]byte, error)
}

// dataKeySize is the length of a data key, in bytes. The agent encrypts with its first
// half and the client with the other.
const dataKeySize = 64

// challengeSize is how much of the agent's is encrypted and comes back, in bytes.
const challengeSize = 64

// encryptionContext is what a data key is bound to.
func encryptionContext(sessionID, targetID string) map[string]string {
	return map[string]string{"aws:ssm:SessionId": sessionID, "aws:ssm:TargetId": targetID}
}

// channelCipher seals what one end sends and opens what it gets: AES-GCM, the nonce before
// the ciphertext.
type channelCipher struct {
	sealing, opening cipher.AEAD
}

// newChannelCipher makes the cipher of one end from the halves of the data key.
func newChannelCipher(sealing, opening []byte) (*channelCipher, error) {
	s, err := newGCM(sealing)
	if err != nil {
		return nil, err
	}
	o, err := newGCM(opening)
	return &channelCipher{sealing: s, opening: o}, err
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func agentCipher(dataKey []byte) (*channelCipher, error) {
	if len(dataKey) != dataKeySize {
		return nil, fmt.Errorf("the data key has %d bytes, not %d", len(dataKey), dataKeySize)
	}
	return newChannelCipher(dataKey[:dataKeySize/2], dataKey[dataKeySize/2:])
}

func clientCipher(dataKey []byte) (*channelCipher, error) {
	if len(dataKey) != dataKeySize {
		return nil, fmt.Errorf("the data key has %d bytes, not %d", len(dataKey), dataKeySize)
	}
	return newChannelCipher(dataKey[dataKeySize/2:], dataKey[:dataKeySize/2])
}

// seal encrypts a payload.
func (c *channelCipher) seal(plaintext []byte) []byte {
	nonce := make([]byte, c.sealing.NonceSize(), c.sealing.NonceSize()+len(plaintext)+c.sealing.Overhead())
	_, _ = rand.Read(nonce) // it never fails
	return c.sealing.Seal(nonce, nonce, plaintext, nil)
}

var errCiphertext = errors.New("the payload is not encrypted with the session's data key")

// open decrypts a payload of the other end.
func (c *channelCipher) open(ciphertext []byte) ([]byte, error) {
	n := c.opening.NonceSize()
	if len(ciphertext) < n {
		return nil, errCiphertext
	}
	plaintext, err := c.opening.Open(nil, ciphertext[:n], ciphertext[n:], nil)
	if err != nil {
		return nil, errCiphertext
	}
	return plaintext, nil
}
