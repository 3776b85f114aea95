"""Writes addresses.txt.gz, the corpus that is embedded in the program word2vec.

    python3 addresses.py path/to/presidential-addresses.txt.gz

The input has a sentence on each line, tokens with spaces between, and an empty line between addresses. The newest
addresses are taken, as many as fit, in lower case and without punctuation and digits.
"""

import gzip
import pathlib
import sys
import zlib

MOST_BYTES = 185_000


def words(line):
    return " ".join(token for token in line.lower().split() if token.isascii() and token.isalpha())


def packed(addresses):
    text = "\n".join(line for address in addresses for line in address) + "\n"
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)  # gzip without a time or a name: the same bytes each time
    return compressor.compress(text.encode()) + compressor.flush()


addresses = [[]]
with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
    for line in lines:
        if line.strip():
            addresses[-1].append(words(line))
        else:
            addresses.append([])
addresses = [[line for line in address if line] for address in addresses]
first = len(addresses)
while len(packed(addresses[first - 1 :])) <= MOST_BYTES:
    first -= 1
data = packed(addresses[first:])
pathlib.Path(__file__).with_name("addresses.txt.gz").write_bytes(data)
print(len(addresses) - first, "addresses,", sum(len(line.split()) for a in addresses[first:] for line in a), "words")
