// What the SDK `hivesigner` does with a signer. Tokens and secret are read from the environment.
// Usage: node hivesigner.cjs SIGNER VOTER AUTHOR PERMLINK
const hivesigner = require('hivesigner')

async function main(signer, voter, author, permlink) {
  const { ACCESS_TOKEN, REFRESH_TOKEN, CLIENT_SECRET } = process.env
  const client = (accessToken) => new hivesigner.Client({ apiURL: signer, accessToken })

  const me = await client(ACCESS_TOKEN).me()
  const vote = await client(ACCESS_TOKEN).vote(voter, author, permlink, 5000)
  const tokens = await client(REFRESH_TOKEN).send('oauth2/token', 'POST', { client_secret: CLIENT_SECRET })

  const refreshed = client(tokens.access_token)
  const comment = await refreshed.comment(author, permlink, voter, `re-${permlink}`, '', 'Well said.', {})
  const follow = await refreshed.follow(voter, author)
  const reblog = await refreshed.reblog(voter, author, permlink)
  const claim = await refreshed.claimRewardBalance(voter, me.account.reward_hive_balance, '0.000 HBD', '0.000000 VESTS')
  const refusal = await refreshed.vote(author, author, permlink, 1).catch(({ error }) => error)
  const { memoDecoded } = await refreshed.decode('a memo in plain text')
  const name = (await refreshed.me()).name
  await refreshed.revokeToken()

  return {
    me: [me.user, me.account.name, me.scope.includes('vote')],
    refreshed: [tokens.username, tokens.expires_in, name],
    ids: [vote, comment, follow, reblog, claim].map(({ result }) => result.id),
    refusal,
    memoDecoded,
  }
}

main(...process.argv.slice(2)).then((done) => console.log(JSON.stringify(done)))
