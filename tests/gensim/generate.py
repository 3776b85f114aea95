"""Writes the files in `files/`, with which `tests/gensim.rs` compares: small word vectors as gensim 4.4.0 saves them,
and what gensim says of them.

    python tests/gensim/generate.py
"""

import json
import pathlib

import numpy as np
from gensim.models import KeyedVectors

FILES = pathlib.Path(__file__).parent / "files"
WORDS = "the of queen king man woman Größe 日本 , can't u.s. \u00a0x".split(" ")
DIMENSION = 7

rng = np.random.default_rng(0)
vectors = KeyedVectors(DIMENSION)
matrix = rng.normal(size=(len(WORDS), DIMENSION)).astype(np.float32)
matrix[0, :4] = [1e-30, -3e18, 0.0, 1.0]
vectors.add_vectors(WORDS, matrix)
vectors.save_word2vec_format(str(FILES / "vectors.txt"), binary=False)
vectors.save_word2vec_format(str(FILES / "vectors.bin"), binary=True)
vectors.save_word2vec_format(str(FILES / "vectors.txt.gz"), binary=False)

pairs = [("king", "queen", 8.5), ("man", "woman", 8.3), ("of", "king", 1.0), ("Größe", "日本", 1.0), ("woman", ",", 0.2)]
lines = [f"{a}\t{b}\t{score}\n" for a, b, score in pairs + [("no", "of", 3)]]
(FILES / "pairs.tsv").write_text("# word pairs\n" + "".join(lines))
pearson, spearman, unknown = vectors.evaluate_word_pairs(str(FILES / "pairs.tsv"), case_insensitive=False)
(FILES / "values.json").write_text(json.dumps({
    "words": WORDS,
    "vectors": matrix.astype(float).tolist(),
    "nearest_king": vectors.most_similar("king", topn=5),
    "king_man_woman": vectors.most_similar(positive=["king", "woman"], negative=["man"], topn=3),
    "spearman": float(spearman.statistic),
}, ensure_ascii=False))
