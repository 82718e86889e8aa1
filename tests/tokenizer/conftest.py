import random

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

SPECIALS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]


@pytest.fixture(scope="session")
def hugging_face_bpe() -> Tokenizer:
    """A BPE tokenizer set up as DNABERT-2's is, trained on a made-up genome of a few motifs."""
    draw = random.Random(1)
    motifs = ["".join(draw.choices("ACGT", k=draw.randint(3, 9))) for _ in range(60)]
    corpus = ["".join(draw.choices(motifs, k=60)) for _ in range(100)]
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIALS, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer
