package hook

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Seal makes an address of Ask's unreadable to all but who has the webhook's secret. It is kept between attempts where
// people look, and may be a secret as the webhook's own is.
func (w Webhook) Seal(token, address string) string {
	box, err := w.box()
	if err != nil {
		return ""
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // it never fails
	return base64.RawStdEncoding.EncodeToString(box.Seal(nonce, nonce, []byte(address), []byte(token)))
}

// Unseal reads what Seal made of the same token. Not ok: there is nothing, or the secret is another now.
func (w Webhook) Unseal(token, sealed string) (address string, ok bool) {
	box, err := w.box()
	if err != nil {
		return "", false
	}
	text, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil || len(text) < box.NonceSize() {
		return "", false
	}
	plain, err := box.Open(nil, text[:box.NonceSize()], text[box.NonceSize():], []byte(token))
	return string(plain), err == nil && len(plain) > 0
}

// box encrypts by a key that is made of the secret, and is not the one that requests are signed with.
func (w Webhook) box() (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, []byte(w.Secret))
	mac.Write([]byte("patchtide status address"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
