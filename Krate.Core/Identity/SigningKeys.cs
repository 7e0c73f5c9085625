using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Krate.Core.Store;
using Microsoft.IdentityModel.Tokens;

namespace Krate.Core.Identity;

/// <summary>
/// The ES256 keys of the issuer. <c>keys/token-signing.pem</c> signs; every other <c>keys/token-signing-*.pem</c> (a key of before a
/// rotation) still verifies. Replicas that share the directory share the keys.
/// </summary>
public sealed class SigningKeys : IDisposable
{
    private readonly List<ECDsa> owned = [];

    public SigningKeys(DataDirectory data)
    {
        var current = Path.Combine(data.Keys, "token-signing.pem");
        var pem = PrivateFile.ReadOrCreate(current, MakePem);
        Signing = Load(pem);
        All = [Signing, .. Directory.EnumerateFiles(data.Keys, "token-signing-*.pem").Order(StringComparer.Ordinal).Select(f => Load(File.ReadAllText(f)))];
    }

    /// <summary>Signs new tokens.</summary>
    public ECDsaSecurityKey Signing { get; }

    /// <summary>Verify tokens, the signing one first.</summary>
    public IReadOnlyList<ECDsaSecurityKey> All { get; }

    /// <summary>The public halves as a JSON Web Key Set.</summary>
    public JsonObject PublicKeySet() => new() { ["keys"] = new JsonArray([.. All.Select(PublicKey)]) };

    public void Dispose() => owned.ForEach(k => k.Dispose());

    private static string MakePem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    private static JsonNode PublicKey(ECDsaSecurityKey key)
    {
        var point = key.ECDsa.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject
        {
            ["kty"] = "EC",
            ["use"] = "sig",
            ["alg"] = SecurityAlgorithms.EcdsaSha256,
            ["kid"] = key.KeyId,
            ["crv"] = "P-256",
            ["x"] = Base64UrlEncoder.Encode(point.X),
            ["y"] = Base64UrlEncoder.Encode(point.Y),
        };
    }

    private ECDsaSecurityKey Load(string pem)
    {
        var ecdsa = ECDsa.Create();
        owned.Add(ecdsa);
        ecdsa.ImportFromPem(pem);
        // The library's default factory caches for the whole process, by key id, and would outlive this instance's keys.
        var key = new ECDsaSecurityKey(ecdsa) { CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false } };
        key.KeyId = Base64UrlEncoder.Encode(key.ComputeJwkThumbprint());
        return key;
    }
}
