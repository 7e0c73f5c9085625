using System.Text;
using Krate.Core.Git;
using Xunit;

namespace Krate.Tests.Git;

public sealed class BlobTextTests
{
    public static TheoryData<byte[], string, string, bool, string> Files => new()
    {
        { "a\nb\n"u8.ToArray(), "a\nb\n", "UTF-8", false, "LF" },
        { "a\r\nb\r\n"u8.ToArray(), "a\r\nb\r\n", "UTF-8", false, "CRLF" },
        { "a\r\nb\n"u8.ToArray(), "a\r\nb\n", "UTF-8", false, "mixed" },
        { [], "", "UTF-8", false, "" },
        { [0xEF, 0xBB, 0xBF, .. "bom"u8], "bom", "UTF-8", true, "" },
        { [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("hé\n")], "hé\n", "UTF-16 LE", true, "LF" },
        { [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("hé")], "hé", "UTF-16 BE", true, "" },
        { [(byte)'c', 0xE9, (byte)'\n'], "cé\n", "Latin-1", false, "LF" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Bytes_are_read_in_their_encoding(byte[] bytes, string text, string encoding, bool mark, string ends)
    {
        var read = BlobText.Read(bytes)!;
        Assert.Equal((text, encoding, mark, ends), (read.Text, read.Encoding, read.HasMark, read.LineEnds));
    }

    [Fact]
    public void A_NUL_makes_it_binary() => Assert.Null(BlobText.Read("text\0text"u8));

    [Theory]
    [InlineData("level != \"user\u202e \u2066// admin\"", true)]
    [InlineData("plain עברית", false)]
    public void Characters_that_reorder_are_noticed(string text, bool noticed) => Assert.Equal(noticed, BlobText.Read(Encoding.UTF8.GetBytes(text))!.HasBidi);

    [Fact]
    public void A_pointer_of_large_file_storage_is_recognised_and_nothing_like_it()
    {
        var pointer = $"version https://git-lfs.github.com/spec/v1\noid sha256:{new string('a', 64)}\nsize 123456789\n";
        Assert.Equal(new LfsPointer(new string('a', 64), 123456789), BlobText.Read(Encoding.UTF8.GetBytes(pointer))!.AsLfsPointer());
        Assert.Null(BlobText.Read(Encoding.UTF8.GetBytes(pointer + "more\n"))!.AsLfsPointer());
        Assert.Null(BlobText.Read(Encoding.UTF8.GetBytes("# about " + pointer))!.AsLfsPointer());
    }
}
