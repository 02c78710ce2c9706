package payload_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/payload"
)

type letter struct{ Text string }

func TestAPayloadThatIsTooLargeIsRefusedByName(t *testing.T) {
	guard := payload.NewGuard()
	measured := map[any]int{}
	guard.Measured = func(holds any, size int) { measured[holds] = size }
	small := letter{Text: "hello"}
	made, err := guard.ToPayloads(small)
	require.NoError(t, err)
	require.Equal(t, map[any]int{small: len(`{"Text":"hello"}`)}, measured)
	var back letter
	require.NoError(t, guard.FromPayloads(made, &back))
	require.Equal(t, small, back)

	large := letter{Text: strings.Repeat("a", payload.Most)}
	_, err = guard.ToPayloads("an argument", large)
	require.EqualError(t, err, "a payload of 524299 bytes is too large for Temporal, 524288 are let through: "+
		"it holds payload_test.letter; what has no bound belongs into the evidence")
	_, err = guard.ToPayload(&large)
	require.ErrorContains(t, err, "it holds *payload_test.letter")
}

func TestWhatIsLargeGoesInPages(t *testing.T) {
	pages, err := payload.Pages(letter{Text: "hello"})
	require.NoError(t, err)
	require.Empty(t, pages, "it travels as it is")

	source := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 3*payload.Most)
	for i := range text {
		text[i] = "0123456789abcdefghijklmnopqrstuv"[source.IntN(32)]
	}
	large := letter{Text: string(text)}
	pages, err = payload.Pages(large)
	require.NoError(t, err)
	require.Greater(t, len(pages), 1)
	for _, page := range pages {
		made, err := payload.NewGuard().ToPayload(struct{ Page []byte }{page})
		require.NoError(t, err)
		require.NotNil(t, made)
	}
	var back letter
	require.NoError(t, payload.Unpack(pages, &back))
	require.Equal(t, large, back)

	require.ErrorContains(t, payload.Unpack(pages[1:], &back), "unpack *payload_test.letter: ")
	require.ErrorContains(t, payload.Unpack(pages[:1], &back), "unpack *payload_test.letter: ")
	require.NotEqual(t, payload.Sum(pages[0]), payload.Sum(pages[1]))
}
